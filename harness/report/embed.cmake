# cmake -D FOLDER=... -D OUT=... -P embed.cmake
# Writes a C file with the parts of the page as arrays.
set(text "#include \"harness/report/page_parts.h\"\n\n")
foreach(part html css js)
  file(READ ${FOLDER}/page.${part} bytes HEX)
  string(REGEX REPLACE "(................................)" "\\1\n" bytes "${bytes}")
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1, " bytes "${bytes}")
  string(APPEND text "const unsigned char page_${part}[] = {\n${bytes}0};\n\n")
endforeach()
file(WRITE ${OUT} "${text}")
