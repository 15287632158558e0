#include "mhd/record.h"

#include <stdlib.h>

#include "base/clock.h"

/*
 * Distinct within a process: splitmix64 over a counter with a random start. Ids are no secret: who
 * has one can compute the others.
 */
static void
make_id(uint64_t *next_id, char ret_id[HTTP_ID_SIZE])
{
	static const char hex[] = "0123456789abcdef";
	uint64_t z = *next_id += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	z ^= z >> 31;
	for (size_t i = 0; i < RECORD_ID_LEN; i++, z >>= 4)
		ret_id[i] = hex[z & 15];
	ret_id[RECORD_ID_LEN] = '\0';
}

void
record_begin(struct record *record, const char *target, size_t max_len, uint64_t *next_id)
{
	size_t len = strlen(target);

	record_end(record);
	record->start_us = clock_now_us();
	make_id(next_id, record->id);
	record->target_too_long = len > max_len;
	len = record->target_too_long ? max_len : len;
	record->target = malloc(len + 1);
	record->out_of_memory = record->target == NULL;
	if (record->target == NULL)
		return;
	memcpy(record->target, target, len);
	record->target[len] = '\0';
	record->target_len = len;
}

void
record_add_body(struct record *record, struct span piece)
{
	record->has_body = true;
	if (record->body == NULL)
		record->body = malloc(HTTP_BODY_MAX_LEN + 1);
	record->out_of_memory |= record->body == NULL;
	record->body_too_large |= piece.len > HTTP_BODY_MAX_LEN - record->body_len;
	if (record->out_of_memory || record->body_too_large)
		return;
	memcpy(record->body + record->body_len, piece.data, piece.len);
	record->body_len += piece.len;
	record->body[record->body_len] = '\0';
}

void
record_end(struct record *record)
{
	if (record->target != NULL)
		explicit_bzero(record->target, record->target_len);
	if (record->body != NULL)
		explicit_bzero(record->body, record->body_len);
	free(record->target);
	free(record->body);
	record->target = record->body = NULL;
	record->target_len = record->body_len = 0;
	record->target_too_long = record->body_too_large = record->has_body = false;
	record->out_of_memory = record->is_screened = record->is_answered = false;
}

const char *
record_client(struct record *record)
{
	if (record->client[0] == '\0' && record->watched.has_address)
		address_format(&record->watched.address, record->client);
	return record->client;
}
