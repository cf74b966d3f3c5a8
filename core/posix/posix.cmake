# Programs under control: the library that mtcheck-cc links into them, and mtcheck-cc itself.
#
# The engine is compiled once more, for a shared library that hides all but its hooks. What the
# tester prints in the program's process goes through --wrap to streams of its own.
if(MTCHECK_SANITIZE)
  return() # the sanitizers' run time stands before the same functions
endif()
find_path(LIBDW_INCLUDE elfutils/libdwfl.h REQUIRED)
file(GLOB posix_sources CONFIGURE_DEPENDS core/*/*.c ${cli_sources})
list(REMOVE_DUPLICATES posix_sources)
list(FILTER posix_sources EXCLUDE REGEX "/harness/cli/mpi\\.c$") # of the command alone
add_library(mtcheck_runtime SHARED ${posix_sources} ${CMAKE_BINARY_DIR}/page_parts.c
            harness/programs/start.c harness/programs/options.c harness/programs/conclude.c
            harness/programs/survey.c
            harness/programs/view.c)
target_include_directories(mtcheck_runtime PRIVATE ${CMAKE_SOURCE_DIR} ${LIBDW_INCLUDE})
target_compile_definitions(mtcheck_runtime PRIVATE MTCHECK_VERSION="${PROJECT_VERSION}")
target_compile_options(mtcheck_runtime PRIVATE -fno-semantic-interposition -fno-builtin-malloc)
target_link_libraries(mtcheck_runtime PRIVATE ${JANSSON_LIBRARY} m Threads::Threads)
target_link_options(mtcheck_runtime PRIVATE LINKER:-Bsymbolic,-z,now
                    LINKER:--wrap=printf,--wrap=vprintf,--wrap=puts,--wrap=putchar
                    LINKER:--wrap=stdout,--wrap=stderr,--wrap=write)
set_target_properties(mtcheck_runtime PROPERTIES OUTPUT_NAME mtcheck C_VISIBILITY_PRESET hidden)
install(TARGETS mtcheck_runtime LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})

# The C library's functions that the library calls: a program that has its own `send` or `log` keeps
# it to itself (mtcheck-cc). Variables are shared with the program, and stay.
add_custom_command(TARGET mtcheck_runtime POST_BUILD VERBATIM
  COMMAND sh -c "{ echo '{ local:'; ${CMAKE_NM} -D --undefined-only libmtcheck.so | \
sed -n 's/^ *U \\([a-z][a-z0-9_]*\\)@GLIBC.*/\\1;/p' | \
grep -vx -e 'environ;' -e 'std[a-z]*;' -e 'optind;'; echo '};'; } >libmtcheck.map"
  WORKING_DIRECTORY ${CMAKE_BINARY_DIR})
install(FILES ${CMAKE_BINARY_DIR}/libmtcheck.map DESTINATION ${CMAKE_INSTALL_LIBDIR})

# Beside the library: that is how they find it.
foreach(wrapper mtcheck-cc mtcheck-c++)
  configure_file(scripts/wrappers/mtcheck-cc ${CMAKE_BINARY_DIR}/${wrapper} COPYONLY)
  install(PROGRAMS scripts/wrappers/mtcheck-cc DESTINATION ${CMAKE_INSTALL_BINDIR}
          RENAME ${wrapper})
endforeach()
