/*
 * mhd_0975: what libmicrohttpd 0.9.75 loses or moves in a request head before we see it.
 * To be deleted with Debian 12; later versions refuse all of it themselves.
 */
#ifndef MHD_0975_H
#define MHD_0975_H

#include "http.h"

/* Whether the library of this version (MHD_get_version()) lays heads out as described in the .c. */
bool mhd_0975_applies(const char *library_version);

/*
 * Whether the head has been taken apart without loss. method, target and version are the library's
 * own strings, in its buffer; target_len is the length that was seen before anything was decoded;
 * bytes is the size of the whole head. The request's headers point into the same buffer.
 */
bool mhd_0975_is_whole(const struct request *request, const char *method, const char *target,
    size_t target_len, const char *version, size_t bytes);

#endif
