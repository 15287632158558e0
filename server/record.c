/*
 * Owns the bytes of a request while it comes in, and wipes them: they hold codes and tokens.
 */
#include "record.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>

/* Distinct within a process and hard to guess: splitmix64 over a counter with a random start. */
static void
make_id(uint64_t *next_id, char ret_id[HTTP_ID_SIZE])
{
	static const char hex[] = "0123456789abcdef";
	uint64_t z = *next_id += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	z ^= z >> 31;
	for (size_t i = 0; i < HTTP_ID_SIZE - 1; i++, z >>= 4)
		ret_id[i] = hex[z & 15];
	ret_id[HTTP_ID_SIZE - 1] = '\0';
}

static char *
take_array(struct record_supply *supply)
{
	char *spare = supply->spare;

	supply->spare = NULL;
	return spare != NULL ? spare : malloc(supply->target_max_len + 1);
}

static void
give_back(struct record_supply *supply, char *array)
{
	if (supply->spare == NULL)
		supply->spare = array;
	else
		free(array);
}

void
record_supply_free(struct record_supply *supply)
{
	free(supply->spare);
	supply->spare = NULL;
}

void
record_begin(struct record *record, const char *target, struct record_supply *supply)
{
	size_t len = strlen(target);

	record_end(record);
	clock_gettime(CLOCK_MONOTONIC, &record->start);
	make_id(&supply->next_id, record->id);
	record->supply = supply;
	record->target_too_long = len > supply->target_max_len;
	len = record->target_too_long ? supply->target_max_len : len;
	record->target = take_array(supply);
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
	if (record->target != NULL) {
		explicit_bzero(record->target, record->target_len);
		give_back(record->supply, record->target);
	}
	if (record->body != NULL)
		explicit_bzero(record->body, record->body_len);
	free(record->body);
	record->target = record->body = NULL;
	record->target_len = record->body_len = 0;
	record->target_too_long = record->body_too_large = record->has_body = false;
	record->out_of_memory = record->is_screened = false;
}

uint64_t
record_elapsed_us(const struct record *record)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)((now.tv_sec - record->start.tv_sec) * 1000000 +
			  (now.tv_nsec - record->start.tv_nsec) / 1000);
}

const char *
record_client(struct record *record, const struct sockaddr *address)
{
	const struct sockaddr_in *v4 = (const void *)address;
	const struct sockaddr_in6 *v6 = (const void *)address;

	if (record->client[0] != '\0' || address == NULL)
		return record->client;
	if (address->sa_family == AF_INET)
		inet_ntop(AF_INET, &v4->sin_addr, record->client, RECORD_CLIENT_SIZE);
	else if (address->sa_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr))
		inet_ntop(AF_INET, v6->sin6_addr.s6_addr + 12, record->client, RECORD_CLIENT_SIZE);
	else if (address->sa_family == AF_INET6)
		inet_ntop(AF_INET6, &v6->sin6_addr, record->client, RECORD_CLIENT_SIZE);
	return record->client;
}
