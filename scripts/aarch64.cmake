# Toolchain file: cross-builds for AArch64 with Debian's compiler and runs the tests in an emulator.
# MTCHECK_SYSROOT is a folder with the libraries' AArch64 packages unpacked; see test-aarch64.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_LIBRARY_ARCHITECTURE aarch64-linux-gnu)
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-aarch64 -L /usr/aarch64-linux-gnu)

set(CMAKE_TRY_COMPILE_PLATFORM_VARIABLES MTCHECK_SYSROOT)
set(CMAKE_FIND_ROOT_PATH ${MTCHECK_SYSROOT})
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_C_FLAGS_INIT "-isystem ${MTCHECK_SYSROOT}/usr/include")
