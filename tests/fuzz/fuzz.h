/*
 * fuzz: what the fuzzers share. Each of them is one LLVMFuzzerTestOneInput, which libFuzzer or
 * replay.c calls.
 */
#pragma once

#include <stdint.h>

#include "config/config.h"
#include "http/http.h"

/* Always returns 0; does not return where something does not hold. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* As assert(), whatever NDEBUG says. */
#define HOLDS(condition) fuzz_holds((condition), #condition, __FILE__, __LINE__)
void fuzz_holds(bool holds, const char *condition, const char *file, int line);

/* A configuration from file text; the same for the whole run. */
struct config *fuzz_config(const char *file_text);

/* A string of exactly len bytes and a NUL, on the heap, so that reading past it is noticed. */
char *fuzz_copy(struct span bytes);

/* A buf of exactly this size on the heap; to be freed by its data. */
struct buf fuzz_buf(size_t size);

/* The first line, without its line feed, cut off *rest. */
struct span fuzz_line(struct span *rest);

/*
 * Decode %xx, and + as a space where is_form; independent of url.c. False where a % stands alone.
 * out holds encoded.len bytes.
 */
bool fuzz_decode(struct span encoded, bool is_form, char *out, size_t *ret_len);

/* Whether text is a constant of this program, not something made of the input. */
bool fuzz_is_constant(const char *text);

/* Everything that must be true of an outcome, whatever the query. */
void fuzz_check_outcome(const struct outcome *outcome);

/* The value of a response field; NULL without it. */
const char *fuzz_field(const struct response *response, const char *name);
