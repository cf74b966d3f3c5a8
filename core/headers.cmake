# Writes the public headers as they are installed: cmake -DHEADERS=... -DTO=FOLDER -P headers.cmake
#
# "core/FOLDER/NAME.h" becomes <sct/NAME.h>, in includes and comments; the guards become SCT_NAME_H;
# and the declarations are C for a compiler of C++. It fails if a header includes another that is
# not public.
cmake_minimum_required(VERSION 3.25)
file(REMOVE_RECURSE ${TO}) # whatever is public no more
file(MAKE_DIRECTORY ${TO})
foreach(header IN LISTS HEADERS)
  string(REGEX REPLACE ".*/core/(.*)$" "core/\\1" path ${header})
  list(APPEND paths ${path})
endforeach()
foreach(header IN LISTS HEADERS)
  file(READ ${header} text)
  get_filename_component(name ${header} NAME)
  string(REGEX MATCHALL "#include \"[^\"]*\"" includes "${text}")
  foreach(include IN LISTS includes)
    string(REGEX REPLACE "#include \"(.*)\"" "\\1" path ${include})
    if(NOT path IN_LIST paths)
      message(FATAL_ERROR "${header}: includes ${path}, which is not public (core/install.cmake)")
    endif()
  endforeach()
  foreach(path IN LISTS paths)
    get_filename_component(short ${path} NAME)
    string(REPLACE "#include \"${path}\"" "#include <sct/${short}>" text "${text}")
    string(REPLACE "${path}" "sct/${short}" text "${text}")
  endforeach()
  string(REGEX REPLACE "CORE_([A-Z]+_)?([A-Z]+_H)\n" "SCT_\\2\n" text "${text}")
  # Behind the last include, or the guard; before the last line.
  string(REGEX MATCH "^(.*\n#include [^\n]*\n(#endif\n)?|[^\n]*(\n//[^\n]*)*\n#ifndef [^\n]*\n#define [^\n]*\n)"
         head "${text}")
  string(LENGTH "${head}" length)
  string(SUBSTRING "${text}" ${length} -1 rest)
  string(REGEX REPLACE "\n#endif\n$" "" rest "${rest}")
  set(begin "")
  set(end "\n\n#endif\n")
  if(rest MATCHES "\n(SCT_API|static inline|enum|struct) ")
    set(begin "\n#ifdef __cplusplus\nextern \"C\" {\n#endif\n")
    set(end "\n\n#ifdef __cplusplus\n}\n#endif\n\n#endif\n")
  endif()
  file(WRITE ${TO}/${name} "${head}${begin}${rest}${end}")
endforeach()
