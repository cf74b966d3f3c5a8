# Installation of the commands, and the Debian package: cmake --install, cpack.
include(GNUInstallDirs)
set(package ${CMAKE_CURRENT_LIST_DIR})
install(TARGETS mtcheck mtcheck-merge RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(FILES ${package}/mtcheck.1 ${package}/mtcheck-merge.1
        DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES ${package}/mtcheck.bash RENAME mtcheck
        DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
install(FILES ${package}/_mtcheck DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions)
install(FILES ${package}/mtcheck.fish
        DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)
install(FILES ${package}/copyright DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/mtcheck)
install(FILES ${package}/CHANGES RENAME changelog
        DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/mtcheck)
if(TARGET mtable)
  install(TARGETS mtable RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
  install(FILES ${package}/mtable.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
  install(FILES ${package}/mtable.bash RENAME mtable
          DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
  install(FILES ${package}/_mtable DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions)
  install(FILES ${package}/mtable.fish
          DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)
  install(FILES ${package}/mtable.service DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/mtcheck/examples)
endif()

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_CONTACT "mtcheck maintainers <mtcheck@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "systematic concurrency testing of protocols in C")
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION devel)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON) # needs dpkg-shlibdeps, of dpkg-dev
include(CPack)
