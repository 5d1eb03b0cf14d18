# Macros of libsoon's configure.ac.

# SOON_ENABLE(NAME, DEFAULT, TEXT)
# An option --enable-NAME that is yes or no.
AC_DEFUN([SOON_ENABLE],
[AC_ARG_ENABLE([$1],
	[AS_HELP_STRING([--enable-$1], [$3])],
	[], [enable_$1=$2])
AS_CASE([$enable_$1],
	[yes|no], [],
	[AC_MSG_ERROR([--enable-$1 takes yes or no])])])

# SOON_FLAGS(VARIABLE, FLAGS)
# Put those of the C compiler's FLAGS that it knows into VARIABLE.
AC_DEFUN([SOON_FLAGS],
[AC_MSG_CHECKING([flags for $1])
soon_cflags=$CFLAGS
$1=
for soon_flag in m4_normalize([$2]); do
	CFLAGS="$soon_cflags -Werror $soon_flag"
	AC_COMPILE_IFELSE([AC_LANG_PROGRAM([], [])],
		[AS_VAR_APPEND([$1], [" $soon_flag"])])
done
CFLAGS=$soon_cflags
AC_SUBST([$1])
AC_MSG_RESULT([$$1])])

# SOON_LINK(FLAGS, PROGRAM, IF-YES, IF-NO)
# Whether PROGRAM compiles and links, in one command, with FLAGS.
AC_DEFUN([SOON_LINK],
[soon_cflags=$CFLAGS
CFLAGS="$CFLAGS $1"
AC_LINK_IFELSE([$2], [$3], [$4])
CFLAGS=$soon_cflags])

# SOON_PTHREAD
# Set PTHREAD_CFLAGS and PTHREAD_LIBS, or stop.
AC_DEFUN([SOON_PTHREAD],
[AC_CACHE_CHECK([for POSIX threads], [soon_cv_pthread],
	[soon_cv_pthread=no
	SOON_LINK([-pthread],
		[AC_LANG_PROGRAM([[#include <pthread.h>
			static void *run(void *arg) { return arg; }]],
			[[pthread_t t;
			return pthread_create(&t, 0, run, 0) ||
				pthread_join(t, 0);]])],
		[soon_cv_pthread=-pthread])])
AS_IF([test "x$soon_cv_pthread" = xno],
	[AC_MSG_ERROR([POSIX threads are required])])
AC_SUBST([PTHREAD_CFLAGS], [$soon_cv_pthread])
AC_SUBST([PTHREAD_LIBS], [$soon_cv_pthread])])

# SOON_CXX
# Whether there is a C++ compiler that works: AC_PROG_CXX only guesses a name.
AC_DEFUN([SOON_CXX],
[AC_CACHE_CHECK([whether $CXX compiles C++11], [soon_cv_cxx],
	[AC_LANG_PUSH([C++])
	AC_LINK_IFELSE(
		[AC_LANG_PROGRAM([[#include <atomic>
			static std::atomic<int> n;]], [[return n;]])],
		[soon_cv_cxx=yes], [soon_cv_cxx=no])
	AC_LANG_POP([C++])])])

# SOON_VERSION_SCRIPT
# Whether the linker takes a list of the symbols to export.
AC_DEFUN([SOON_VERSION_SCRIPT],
[AC_CACHE_CHECK([whether the linker takes version scripts],
	[soon_cv_version_script],
	[echo 'SOON { global: main; local: *; };' >conftest.map
	SOON_LINK([-Wl,--version-script=conftest.map], [AC_LANG_PROGRAM([], [])],
		[soon_cv_version_script=yes], [soon_cv_version_script=no])
	rm -f conftest.map])])

# SOON_NODELETE
# NODELETE_LDFLAGS keeps a library in memory that dlclose() would take away, with
# threads still running in it.
AC_DEFUN([SOON_NODELETE],
[AC_CACHE_CHECK([whether a library can ask to stay in memory],
	[soon_cv_nodelete],
	[SOON_LINK([-Wl,-z,nodelete], [AC_LANG_PROGRAM([], [])],
		[soon_cv_nodelete=yes], [soon_cv_nodelete=no])])
AS_IF([test "x$soon_cv_nodelete" = xyes],
	[NODELETE_LDFLAGS=-Wl,-z,nodelete])
AC_SUBST([NODELETE_LDFLAGS])])

# SOON_SANITIZER
# --enable-sanitizer=LIST: SANITIZER_FLAGS is for compiling and linking, and
# TEST_PATIENCE is by how much tests become slower.
AC_DEFUN([SOON_SANITIZER],
[AC_ARG_ENABLE([sanitizer],
	[AS_HELP_STRING([--enable-sanitizer=LIST],
		[build with sanitizers: address, undefined, thread, or
		address,undefined])],
	[], [enable_sanitizer=no])
SANITIZER_FLAGS=
TEST_PATIENCE=1
AS_CASE([$enable_sanitizer],
	[no], [],
	[yes], [AC_MSG_ERROR([--enable-sanitizer needs a list])],
	[SANITIZER_FLAGS="-fsanitize=$enable_sanitizer -fno-omit-frame-pointer"
	TEST_PATIENCE=10
	AS_CASE([$enable_sanitizer], [*undefined*],
		[SANITIZER_FLAGS="$SANITIZER_FLAGS -fno-sanitize-recover=undefined"])
	SOON_LINK([$SANITIZER_FLAGS], [AC_LANG_PROGRAM([], [])], [],
		[AC_MSG_ERROR(
			[$CC cannot link with -fsanitize=$enable_sanitizer])])])
AS_CASE([$enable_sanitizer], [*address*],
	[AC_DEFINE([SOONI_SANITIZE_ADDRESS], [1],
		[Define to 1 if AddressSanitizer watches the memory.])])
AC_SUBST([SANITIZER_FLAGS])
AC_SUBST([TEST_PATIENCE])])

# SOON_COVERAGE
# --enable-coverage: COVERAGE_FLAGS is for compiling and linking.
AC_DEFUN([SOON_COVERAGE],
[SOON_ENABLE([coverage], [no], [count which lines run, for gcov])
COVERAGE_FLAGS=
AS_IF([test "x$enable_coverage" = xyes],
	[COVERAGE_FLAGS="--coverage -fprofile-update=atomic"
	SOON_LINK([$COVERAGE_FLAGS], [AC_LANG_PROGRAM([], [])], [],
		[AC_MSG_ERROR([$CC cannot link with $COVERAGE_FLAGS])])
	AC_DEFINE([SOONI_COVERAGE], [1],
		[Define to 1 if gcov counts which lines run.])])
AC_SUBST([COVERAGE_FLAGS])])

# SOON_PKG(NAME, MODULES, [CONDITION = yes])
# Look for an optional library by pkg-config: NAME_CFLAGS, NAME_LIBS and the
# conditional HAVE_NAME.
AC_DEFUN([SOON_PKG],
[AS_VAR_PUSHDEF([have], [have_]m4_tolower([$1]))
AS_VAR_SET([have], [no])
AS_IF([test "x[]m4_default([$3], [yes])" = xyes],
	[PKG_CHECK_MODULES([$1], [$2], [AS_VAR_SET([have], [yes])],
		[AS_VAR_SET([have], [no])])])
AM_CONDITIONAL([HAVE_$1], [test "x$have" = xyes])
AS_VAR_POPDEF([have])])

# SOON_PEER_OPENMP
# OpenMP with tasks for C: PEER_OPENMP_CFLAGS, for compiling and linking.
AC_DEFUN([SOON_PEER_OPENMP],
[AC_CACHE_CHECK([for OpenMP], [soon_cv_openmp],
	[SOON_LINK([-fopenmp],
		[AC_LANG_PROGRAM([[#include <omp.h>]],
			[[return omp_get_max_threads() < 1;]])],
		[soon_cv_openmp=yes], [soon_cv_openmp=no])])
have_peer_openmp=$soon_cv_openmp
AC_SUBST([PEER_OPENMP_CFLAGS], [-fopenmp])
AM_CONDITIONAL([HAVE_PEER_OPENMP], [test "x$have_peer_openmp" = xyes])])

# SOON_PEER_ASIO
# Boost.Asio: its headers, and Boost's system library in PEER_ASIO_LIBS.
AC_DEFUN([SOON_PEER_ASIO],
[AC_CACHE_CHECK([for Boost.Asio], [soon_cv_asio],
	[soon_cv_asio=no
	AS_IF([test "x$soon_cv_cxx" = xyes],
		[AC_LANG_PUSH([C++])
		soon_libs=$LIBS
		LIBS="$LIBS -lboost_system"
		AC_PREPROC_IFELSE(
			[AC_LANG_SOURCE([[#include <boost/asio/thread_pool.hpp>]])],
			[AC_LINK_IFELSE([AC_LANG_PROGRAM([], [])],
				[soon_cv_asio=yes])])
		LIBS=$soon_libs
		AC_LANG_POP([C++])])])
have_peer_asio=$soon_cv_asio
AC_SUBST([PEER_ASIO_LIBS], [-lboost_system])
AM_CONDITIONAL([HAVE_PEER_ASIO], [test "x$have_peer_asio" = xyes])])
