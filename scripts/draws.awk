# Finds two draws in one full expression whose order C leaves open. Used by scripts/lint.
#
# Reads C files; -v only=REGEX: reports on those alone. A function draws if it is one of [seeds],
# calls one that draws, or calls a member (.name or ->name) to which a drawing function is assigned
# by `.name = function`. Of a full expression the operands of , && || and ?: are in order; all
# others, the arguments of a call and the elements of an initialiser are in none. Prints
# FILE:LINE: TEXT for every expression in which two draws are in no order.
BEGIN {
    # Where nondeterminism enters: values, turns, generators.
    split("sct_choose sct_reschedule rng_next", list, " ")
    for (i in list)
        seeds[list[i]] = 1
    split("if while for switch return sizeof _Alignof _Static_assert case do else goto", list, " ")
    for (i in list)
        keyword[list[i]] = 1
}

# ---- Tokens: text[1..count], file_of, line_of ---------------------------------------------------

function add(token) {
    text[++count] = token
    line_of[count] = FNR
    file_of[count] = FILENAME
    is_of_macro[count] = is_macro_line
}

FNR == 1 { in_comment = in_directive = in_macro = 0 }

# A macro with arguments becomes a function of its name, whose body is its text.
!in_comment && !in_directive && /^[ \t]*#/ {
    in_macro = match($0, /^[ \t]*#[ \t]*define[ \t]+[A-Za-z_0-9]+\(/)
    if (in_macro) {
        sub(/^[ \t]*#[ \t]*define[ \t]+/, "")
        is_head = 1
    }
    in_directive = 1
}

{
    line = $0
    goes_on = in_directive && line ~ /\\$/
    sub(/\\$/, "", line)
    if (in_directive && !in_macro)
        line = ""
    if (in_macro)
        sub(/[ \t]\/\/.*/, "", line) # or what is put behind it would be of the comment
    if (in_macro && is_head && match(line, /\)/)) {
        is_head = 0
        line = substr(line, 1, RSTART) "{" substr(line, RSTART + 1)
    }
    if (in_macro && !goes_on)
        line = line "}"
    is_macro_line = in_macro
    in_directive = goes_on
    if (!goes_on)
        in_macro = 0
    while (line != "") {
        if (in_comment) {
            at = index(line, "*/")
            if (!at)
                break
            in_comment = 0
            line = substr(line, at + 2)
        } else if (match(line, /^[ \t]+/)) {
            line = substr(line, RLENGTH + 1)
        } else if (line ~ /^\/\//) {
            break
        } else if (line ~ /^\/\*/) {
            in_comment = 1
            line = substr(line, 3)
        } else if (match(line, /^"([^"\\]|\\.)*"/) || match(line, /^'([^'\\]|\\.)+'/)) {
            add("\"\"")
            line = substr(line, RLENGTH + 1)
        } else if (match(line, /^[A-Za-z_][A-Za-z0-9_]*/) ||
                   match(line, /^[0-9.]*[0-9][A-Za-z0-9_.]*/) ||
                   match(line, /^(->|&&|\|\||==|!=|<=|>=|\+\+|--|<<=|>>=|[-+*\/%&|^]=|<<|>>)/)) {
            add(substr(line, 1, RLENGTH))
            line = substr(line, RLENGTH + 1)
        } else {
            add(substr(line, 1, 1))
            line = substr(line, 2)
        }
    }
}

# ---- Functions, and which of them draw ----------------------------------------------------------

# Sets partner[] of every bracket.
function match_brackets(    i, depth, open) {
    for (i = 1; i <= count; i++) {
        if (file_of[i] != file_of[i - 1])
            depth = 0
        if (text[i] ~ /^[({[]$/)
            open[++depth] = i
        else if (text[i] ~ /^[])}]$/ && depth) {
            partner[i] = open[depth]
            partner[open[depth]] = i
            depth--
        }
    }
}

function is_name(i) {
    return text[i] ~ /^[A-Za-z_]/ && !(text[i] in keyword)
}

# Bodies at the outermost level: body_start[n], body_end[n], body_name[n].
function find_bodies(    i, close_, head, is_static) {
    for (i = 1; i <= count; i++) {
        if (text[i] == ";" || text[i] == "}")
            is_static = 0
        else if (text[i] == "static")
            is_static = file_of[i] !~ /[.]h$/
        else if (text[i] == "HOOK") # in front of what only a program under control calls
            is_static = 1
        else if (text[i] == "(" && (i in partner) && is_name(i - 1) &&
                 text[partner[i] + 1] == "{") {
            head = i - 1
            close_ = partner[i] + 1
            bodies++
            body_start[bodies] = close_
            body_end[bodies] = partner[close_]
            # A macro that defines things; a function may begin with a static of its own.
            defines[bodies] = is_of_macro[close_ + 1] && text[close_ + 1] == "static"
            body_name[bodies] = key(text[head], is_static ? file_of[head] : "")
            if (is_static)
                local[file_of[head], text[head]] = 1
            i = partner[close_]
            is_static = 0
        } else if (text[i] == "{" && (i in partner)) {
            i = partner[i]
        } else if (text[i] == "(" && (i in partner))
            i = partner[i]
    }
}

function key(name, file) {
    return file == "" ? name : file "/" name
}

# Whether the name at [i] stands for something that draws.
function names_draw(i,    name) {
    name = text[i]
    if (text[i - 1] == "." || text[i - 1] == "->")
        return (name in member_draws)
    if ((file_of[i], name) in local)
        return (key(name, file_of[i]) in draws)
    return (name in draws)
}

# One round; whether anything was new.
function spread(    n, i, changed) {
    for (n = 1; n <= bodies; n++) {
        if (defines[n] || body_name[n] in draws)
            continue
        for (i = body_start[n]; i < body_end[n]; i++)
            if (text[i + 1] == "(" && is_name(i) && names_draw(i)) {
                draws[body_name[n]] = 1
                changed = 1
                break
            }
    }
    for (i = 4; i < count; i++)
        if (text[i] == "=" && text[i - 2] == "." && (text[i + 2] == "," || text[i + 2] == "}") &&
            is_name(i + 1) && names_draw(i + 1) && !(text[i - 1] in member_draws)) {
            member_draws[text[i - 1]] = 1
            changed = 1
        }
    return changed
}

# ---- Expressions --------------------------------------------------------------------------------

function report(i) {
    if (only != "" && file_of[i] !~ only)
        return
    print file_of[i] ":" line_of[i] ": two draws in one expression, in no order"
}

# The end of the part that begins at [i]: the next token at this level that matches [ends], or
# [last] + 1.
function part_end(i, last, ends) {
    for (; i <= last; i++) {
        if (text[i] ~ ends)
            return i
        if (text[i] ~ /^[({[]$/ && (i in partner))
            i = partner[i]
    }
    return last + 1
}

# Whether the parts between separators draw; they are in order, or in none.
function parts(i, last, separator, is_ordered, next_level,    end, number) {
    while (i <= last) {
        end = part_end(i, last, separator)
        if (level(i, end - 1, next_level))
            if (++number == 2 && !is_ordered)
                report(i)
        i = end + 1
    }
    return number > 0
}

# From the weakest binding to the strongest.
function level(i, last, number) {
    if (i > last)
        return 0
    if (number == 0)
        return parts(i, last, "^[,;]$", 1, 1)
    if (number == 1)
        return parts(i, last, "^(=|<<=|>>=|[-+*/%&|^]=)$", 0, 2)
    if (number == 2)
        return parts(i, last, "^[?:]$", 1, 3)
    if (number == 3)
        return parts(i, last, "^(&&|[|][|])$", 1, 4)
    return operands(i, last)
}

function operands(i, last,    number, calls, is_call, is_list) {
    for (; i <= last; i++) {
        if (text[i] !~ /^[({[]$/ || !(i in partner))
            continue
        is_call = text[i] == "(" && (is_name(i - 1) || text[i - 1] == ")" || text[i - 1] == "]")
        is_list = is_call || text[i] == "{"
        calls = 0
        if (text[i - 1] != "sizeof") {
            if (is_list)
                calls = parts(i + 1, partner[i] - 1, "^,$", 0, 1)
            else
                calls = level(i + 1, partner[i] - 1, 0)
            if (is_call && is_name(i - 1) && names_draw(i - 1))
                calls = 1
        }
        i = partner[i]
        if (calls && ++number == 2)
            report(i)
    }
    return number > 0
}

# A brace in an expression, not that of a block.
function is_initialiser(i, start,    j) {
    if (text[i - 1] == "=")
        return 1
    if (text[i - 1] != ")")
        return 0
    for (j = start; j < i; j++)
        if (text[j] == "=" || text[j] == "return")
            return 1
        else if (text[j] == "(" && (j in partner))
            j = partner[j]
    return 0
}

function check_body(n,    i, start) {
    start = body_start[n] + 1
    for (i = start; i <= body_end[n]; i++) {
        if (text[i] == "{" && is_initialiser(i, start))
            i = partner[i]
        else if (text[i] ~ /^[;{}]$/) {
            level(start, i - 1, 0)
            start = i + 1
        } else if (text[i] == "(" || text[i] == "[") {
            i = partner[i]
            # The head of a statement is an expression of its own.
            if (text[partner[i] - 1] ~ /^(if|while|for|switch)$/) {
                level(start, i, 0)
                start = i + 1
            }
        }
    }
}

END {
    match_brackets()
    find_bodies()
    for (name in seeds)
        draws[name] = 1
    while (spread())
        ;
    if (list_names) {
        for (name in draws)
            print name
        for (name in member_draws)
            print "." name
        exit
    }
    for (n = 1; n <= bodies; n++)
        check_body(n)
}
