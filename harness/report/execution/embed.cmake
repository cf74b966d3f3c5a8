# cmake -D FOLDER=... -D OUT=... -P embed.cmake
# Writes a C file with the parts of the page as arrays. Included by the build, it only says in
# page_sources which files those are.
set(page_html page.html)
set(page_css page.css)
set(page_js page_story.js page_lanes.js page_step.js page_wrong.js page_main.js) # joined
set(page_sources ${page_html} ${page_css} ${page_js})

function(write_page_parts folder out)
  set(text "#include \"harness/report/execution/page_parts.h\"\n\n")
  foreach(part html css js)
    set(bytes "")
    foreach(name ${page_${part}})
      file(READ ${folder}/${name} more HEX)
      string(APPEND bytes ${more})
    endforeach()
    string(REGEX REPLACE "(................................)" "\\1\n" bytes "${bytes}")
    string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1, " bytes "${bytes}")
    string(APPEND text "const unsigned char page_${part}[] = {\n${bytes}0};\n\n")
  endforeach()
  file(WRITE ${out} "${text}")
endfunction()

if(CMAKE_SCRIPT_MODE_FILE)
  write_page_parts(${FOLDER} ${OUT})
endif()
