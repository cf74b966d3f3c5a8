# What is installed for programs outside this project (core/TUTORIAL.md): the libraries sct (the
# engine) and sct-cli (the engine and a command line over one's own tests), the public headers under
# <sct/...>, and what pkg-config and find_package(sct) need to find them.
#
# A library is one object in which all that is not marked SCT_API (core/base/api.h) is local: names
# of the inside neither clash with a program's nor can be used by it. It is made of the objects of
# the libraries in CMakeLists.txt.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

# The promised headers; their includes are among them. In the tree each lies in the folder of its
# subject; installed, it is <sct/NAME.h>.
set(sct_headers
    sct base/api base/arena base/assert base/digest base/rng base/text base/version
    campaign/marks engine/edge engine/execution engine/machine engine/monitor engine/program
    engine/result engine/wait history/history history/linearize memory/location memory/memory
    memory/order memory/race memory/shadow run/runner strategy/access strategy/path
    strategy/slots strategy/strategy threads/atomic threads/barrier threads/lock threads/object threads/rwlock
    threads/semaphore threads/thread)

# A library NAME of the objects of the targets given, as one.
function(sct_archive name)
  list(TRANSFORM ARGN REPLACE "(.+)" "$<TARGET_OBJECTS:\\1>" OUTPUT_VARIABLE objects)
  add_custom_command(
    OUTPUT lib${name}.a
    COMMAND ${CMAKE_LINKER} -r -o ${name}.o ${objects}
    COMMAND ${CMAKE_OBJCOPY} --localize-hidden ${name}.o
    COMMAND ${CMAKE_COMMAND} -E rm -f lib${name}.a
    COMMAND ${CMAKE_AR} qcs lib${name}.a ${name}.o
    DEPENDS ${objects}
    COMMAND_EXPAND_LISTS VERBATIM)
  add_custom_target(${name} ALL DEPENDS lib${name}.a)
  install(FILES ${CMAKE_BINARY_DIR}/lib${name}.a DESTINATION ${CMAKE_INSTALL_LIBDIR})
endfunction()

# Without what takes the place of the C library (core/posix): that is libmtcheck.so.
get_target_property(engine_libraries core INTERFACE_LINK_LIBRARIES)
list(APPEND engine_libraries base)
set(suite_library cli)
if(MTCHECK_MPI) # one process, of the user's
  file(GLOB suite_sources CONFIGURE_DEPENDS ${cli_sources})
  list(FILTER suite_sources EXCLUDE REGEX "/mpi\\.c$")
  set(suite_library sct_cli_objects)
  add_library(sct_cli_objects OBJECT ${suite_sources} ${CMAKE_BINARY_DIR}/page_parts.c)
  target_include_directories(sct_cli_objects PRIVATE ${CMAKE_SOURCE_DIR})
  target_compile_definitions(sct_cli_objects PRIVATE MTCHECK_VERSION="${PROJECT_VERSION}")
  set_target_properties(sct_cli_objects PROPERTIES C_VISIBILITY_PRESET hidden)
endif()
sct_archive(sct ${engine_libraries})
sct_archive(sct-cli ${engine_libraries} ${suite_library})

# The headers as they are installed.
list(TRANSFORM sct_headers PREPEND ${CMAKE_CURRENT_SOURCE_DIR}/core/ OUTPUT_VARIABLE public)
list(TRANSFORM public APPEND .h)
add_custom_command(
  OUTPUT include/sct.stamp
  COMMAND ${CMAKE_COMMAND} "-DHEADERS=${public}" -DTO=${CMAKE_BINARY_DIR}/include/sct
          -P ${CMAKE_CURRENT_SOURCE_DIR}/core/headers.cmake
  COMMAND ${CMAKE_COMMAND} -E touch include/sct.stamp
  DEPENDS ${public} ${CMAKE_CURRENT_SOURCE_DIR}/core/headers.cmake
  VERBATIM)
add_custom_target(sct_public_headers ALL DEPENDS include/sct.stamp)
install(DIRECTORY ${CMAKE_BINARY_DIR}/include/sct DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})

file(RELATIVE_PATH sct_up /x/${CMAKE_INSTALL_LIBDIR} /x/) # from the libraries to the prefix
foreach(file sct.pc sct-cli.pc sct-config.cmake)
  configure_file(core/${file}.in ${file} @ONLY)
endforeach()
# 0.2 serves who asks for 0.2.x: while the first number is 0 the second one may change anything.
write_basic_package_version_file(${CMAKE_BINARY_DIR}/sct-config-version.cmake
                                 COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/sct.pc ${CMAKE_BINARY_DIR}/sct-cli.pc
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
install(FILES ${CMAKE_BINARY_DIR}/sct-config.cmake ${CMAKE_BINARY_DIR}/sct-config-version.cmake
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/sct)
