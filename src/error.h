/*
 * error.h - texts of error codes.
 */
#ifndef SOONI_ERROR_H
#define SOONI_ERROR_H

/* As soon_strerror(), but always a static text; NULL for an unknown code. */
const char *sooni_error_text(int code);

#endif
