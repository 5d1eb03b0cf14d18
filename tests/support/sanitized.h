/*
 * sanitized.h - whether a sanitizer stands between the program and what it uses.
 */
#ifndef SOON_TEST_SANITIZED_H
#define SOON_TEST_SANITIZED_H

#if !defined(__has_feature)
#define __has_feature(name) 0 /* clang's */
#endif

#if defined(__SANITIZE_THREAD__) || __has_feature(thread_sanitizer)
#define TEST_THREAD_SANITIZED 1
#else
#define TEST_THREAD_SANITIZED 0
#endif

#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
#define TEST_ADDRESS_SANITIZED 1
#else
#define TEST_ADDRESS_SANITIZED 0
#endif

#define TEST_SANITIZED (TEST_THREAD_SANITIZED || TEST_ADDRESS_SANITIZED)

#endif
