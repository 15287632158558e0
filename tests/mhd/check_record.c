#include "mhd/record.h"
#include "support.h"

#include <stdlib.h>

/*
 * Stand in for the library's own under both of its names, with and without fortification: what was
 * wiped can be asked for only before it is freed.
 */
void spy_wipe(void *data, size_t len) __asm__("explicit_bzero");
void spy_wipe_checked(void *data, size_t len, size_t size) __asm__("__explicit_bzero_chk");

static char wiped[2 * HTTP_BODY_MAX_LEN];
static size_t wiped_len;

void
spy_wipe(void *data, size_t len)
{
	volatile char *bytes = data;

	for (size_t i = 0; i < len; i++) {
		if (wiped_len < sizeof(wiped))
			wiped[wiped_len++] = bytes[i];
		bytes[i] = '\0';
	}
}

void
spy_wipe_checked(void *data, size_t len, size_t size)
{
	(void)size;
	spy_wipe(data, len);
}

enum { MAX_LEN = 64 };

static uint64_t next_id;

static const struct {
	const char *target;
	size_t max_len;
	const char *kept;
	bool too_long;
} target_rows[] = {
	{ "/", 8, "/", false },
	{ "", 8, "", false },
	{ "", 0, "", false },
	{ "/", 0, "", true },
	{ "/234567", 8, "/234567", false },
	{ "/2345678", 8, "/2345678", false },
	{ "/23456789", 8, "/2345678", true },
	{ "/2345678?a=b", 8, "/2345678", true },
	{ "/\x01\xff%00", 8, "/\x01\xff%00", false },
};

START_TEST(keeps_targets)
{
	struct record record = { 0 };

	record_begin(&record, target_rows[_i].target, target_rows[_i].max_len, &next_id);
	ck_assert_str_eq(record.target, target_rows[_i].kept);
	ck_assert_uint_eq(record.target_len, strlen(target_rows[_i].kept));
	ck_assert_int_eq(record.target_too_long, target_rows[_i].too_long);
	ck_assert(!record.out_of_memory && !record.has_body && !record.is_screened);
	record_end(&record);
}
END_TEST

/* The record's own copy: the library's string is gone by the time it is read. */
START_TEST(copies_the_target)
{
	struct record record = { 0 };
	char target[] = "/x";

	record_begin(&record, target, MAX_LEN, &next_id);
	target[1] = 'y';
	ck_assert_str_eq(record.target, "/x");
	record_end(&record);
}
END_TEST

static const struct {
	size_t pieces[3];
	size_t kept;
	bool too_large;
} body_rows[] = {
	{ { 0 }, 0, false },
	{ { 1 }, 1, false },
	{ { 1, 2, 3 }, 6, false },
	{ { HTTP_BODY_MAX_LEN }, HTTP_BODY_MAX_LEN, false },
	{ { HTTP_BODY_MAX_LEN, 0, 0 }, HTTP_BODY_MAX_LEN, false },
	{ { HTTP_BODY_MAX_LEN - 1, 1 }, HTTP_BODY_MAX_LEN, false },
	{ { HTTP_BODY_MAX_LEN + 1 }, 0, true },
	{ { HTTP_BODY_MAX_LEN, 1 }, HTTP_BODY_MAX_LEN, true },
	{ { HTTP_BODY_MAX_LEN - 1, 2 }, HTTP_BODY_MAX_LEN - 1, true },
	/* Nothing is taken after a gap. */
	{ { HTTP_BODY_MAX_LEN - 1, 2, 1 }, HTTP_BODY_MAX_LEN - 1, true },
	{ { SIZE_MAX }, 0, true },
	{ { 1, SIZE_MAX }, 1, true },
};

/* Bytes that differ from their neighbours, so that a piece in the wrong place shows. */
static const char *
pattern(void)
{
	static char bytes[HTTP_BODY_MAX_LEN + 1];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)('A' + i % 57);
	return bytes;
}

START_TEST(keeps_bodies)
{
	struct record record = { 0 };
	const char *bytes = pattern();

	record_begin(&record, "/", MAX_LEN, &next_id);
	for (size_t i = 0; i < 3; i++)
		record_add_body(
		    &record, (struct span){ bytes + record.body_len, body_rows[_i].pieces[i] });
	ck_assert_uint_eq(record.body_len, body_rows[_i].kept);
	ck_assert_int_eq(record.body_too_large, body_rows[_i].too_large);
	ck_assert(record.has_body && !record.out_of_memory);
	ck_assert_int_eq(memcmp(record.body, bytes, record.body_len), 0);
	record_end(&record);
}
END_TEST

START_TEST(has_no_body_before_a_piece)
{
	struct record record = { 0 };

	record_begin(&record, "/", MAX_LEN, &next_id);
	ck_assert(!record.has_body && !record.body_too_large);
	ck_assert_uint_eq(record.body_len, 0);
	record_add_body(&record, (struct span)SPAN("ab"));
	ck_assert_str_eq(record.body, "ab");
	record_end(&record);
}
END_TEST

static void
check_is_empty(const struct record *record)
{
	ck_assert_ptr_null(record->target);
	ck_assert_ptr_null(record->body);
	ck_assert_uint_eq(record->target_len, 0);
	ck_assert_uint_eq(record->body_len, 0);
	ck_assert(!record->target_too_long && !record->body_too_large && !record->has_body);
	ck_assert(!record->out_of_memory && !record->is_screened);
}

START_TEST(ends_empty)
{
	struct record record = { 0 };

	record_begin(&record, "/too long", 4, &next_id);
	record_add_body(&record, (struct span)SPAN("body"));
	record_add_body(&record, (struct span){ pattern(), HTTP_BODY_MAX_LEN });
	record.is_screened = record.out_of_memory = true;
	ck_assert(record.target_too_long && record.body_too_large && record.has_body);
	record_end(&record);
	check_is_empty(&record);
	record_end(&record);
	check_is_empty(&record);
}
END_TEST

/* On a kept-alive connection the next request finds nothing of the last, ended or not. */
START_TEST(begins_empty)
{
	struct record record = { 0 };
	char first_id[HTTP_ID_SIZE];

	record_begin(&record, "/too long", 4, &next_id);
	record_add_body(&record, (struct span){ pattern(), HTTP_BODY_MAX_LEN });
	record_add_body(&record, (struct span)SPAN("x"));
	record.is_screened = true;
	memcpy(first_id, record.id, sizeof(first_id));
	record_begin(&record, "/b", 4, &next_id);
	ck_assert_str_eq(record.target, "/b");
	ck_assert_uint_eq(record.target_len, 2);
	ck_assert_ptr_null(record.body);
	ck_assert_uint_eq(record.body_len, 0);
	ck_assert(!record.target_too_long && !record.body_too_large && !record.has_body);
	ck_assert(!record.is_screened);
	ck_assert_str_ne(record.id, first_id);
	record_end(&record);
}
END_TEST

START_TEST(wipes_what_it_kept)
{
	struct record record = { 0 };

	record_begin(&record, "/a?code=SECRET1", MAX_LEN, &next_id);
	record_add_body(&record, (struct span)SPAN("token="));
	record_add_body(&record, (struct span)SPAN("SECRET2"));
	wiped_len = 0;
	record_end(&record);
	ck_assert_uint_lt(wiped_len, sizeof(wiped));
	wiped[wiped_len] = '\0';
	ck_assert_ptr_nonnull(memmem(wiped, wiped_len, "/a?code=SECRET1", 15));
	ck_assert_ptr_nonnull(memmem(wiped, wiped_len, "token=SECRET2", 13));
}
END_TEST

enum { N_IDS = 2000 };

static char ids[N_IDS][HTTP_ID_SIZE];

static void
make_ids(uint64_t start)
{
	struct record record = { 0 };

	next_id = start;
	for (size_t i = 0; i < N_IDS; i++) {
		record_begin(&record, "/", MAX_LEN, &next_id);
		memcpy(ids[i], record.id, HTTP_ID_SIZE);
	}
	record_end(&record);
}

static const uint64_t id_starts[] = { 0, 1, 1234567, UINT64_MAX };

START_TEST(makes_ids_of_one_shape)
{
	make_ids(id_starts[_i]);
	for (size_t i = 0; i < N_IDS; i++) {
		ck_assert_uint_eq(strlen(ids[i]), RECORD_ID_LEN);
		ck_assert_uint_eq(strspn(ids[i], "0123456789abcdef"), RECORD_ID_LEN);
	}
}
END_TEST

static int
compare_ids(const void *a, const void *b)
{
	return memcmp(a, b, HTTP_ID_SIZE);
}

START_TEST(makes_distinct_ids)
{
	make_ids(id_starts[_i]);
	qsort(ids, N_IDS, HTTP_ID_SIZE, compare_ids);
	for (size_t i = 1; i < N_IDS; i++)
		ck_assert_str_ne(ids[i - 1], ids[i]);
}
END_TEST

/* One id does not give its neighbour away: of 16 digits, some 15 differ. */
START_TEST(makes_ids_that_look_unlike)
{
	make_ids(id_starts[_i]);
	for (size_t i = 1; i < N_IDS; i++) {
		int different = 0;

		for (size_t at = 0; at < RECORD_ID_LEN; at++)
			different += ids[i - 1][at] != ids[i][at];
		ck_assert_int_ge(different, 4);
	}
}
END_TEST

/* The number that an id spells, its first digit being the highest or the lowest. */
static uint64_t
number_of(const char *id, bool highest_first)
{
	uint64_t number = 0;

	for (size_t i = 0; i < RECORD_ID_LEN; i++)
		number = number << 4 |
			 (uint64_t)text_hex_value(id[highest_first ? i : RECORD_ID_LEN - 1 - i]);
	return number;
}

/* Two ids do not give away the third, as those of a counter would. */
START_TEST(makes_ids_in_unequal_steps)
{
	make_ids(id_starts[_i]);
	for (size_t i = 2; i < N_IDS; i++)
		for (int first = 0; first < 2; first++)
			ck_assert_uint_ne(number_of(ids[i], first) - number_of(ids[i - 1], first),
			    number_of(ids[i - 1], first) - number_of(ids[i - 2], first));
}
END_TEST

static int64_t
now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

START_TEST(knows_when_it_began)
{
	struct record record = { 0 };
	int64_t before = now_ns() / 1000;

	record_begin(&record, "/", MAX_LEN, &next_id);
	ck_assert_int_ge(record.start_us, before);
	ck_assert_int_le(record.start_us, now_ns() / 1000);
	record_end(&record);
}
END_TEST

/* Made once, and kept from request to request: a connection has one client. */
START_TEST(names_the_client)
{
	struct record record = { .watched.has_address = true };

	ck_assert(address_parse((struct span)SPAN("::ffff:192.0.2.1"), &record.watched.address));
	ck_assert_str_eq(record_client(&record), "192.0.2.1");
	record_begin(&record, "/", MAX_LEN, &next_id);
	record_end(&record);
	record.watched.has_address = false;
	ck_assert_str_eq(record_client(&record), "192.0.2.1");
}
END_TEST

START_TEST(has_no_client_without_an_ip_address)
{
	struct record record = { 0 };

	ck_assert_str_eq(record_client(&record), "");
}
END_TEST

static void
add_time_and_client_tests(TCase *tests)
{
	tcase_add_test(tests, knows_when_it_began);
	tcase_add_test(tests, names_the_client);
	tcase_add_test(tests, has_no_client_without_an_ip_address);
}

int
main(void)
{
	Suite *suite = suite_create("record");
	TCase *tests = tcase_create("record");
	int n_starts = sizeof(id_starts) / sizeof(id_starts[0]);

	tcase_add_loop_test(tests, keeps_targets, 0, sizeof(target_rows) / sizeof(target_rows[0]));
	tcase_add_test(tests, copies_the_target);
	tcase_add_loop_test(tests, keeps_bodies, 0, sizeof(body_rows) / sizeof(body_rows[0]));
	tcase_add_test(tests, has_no_body_before_a_piece);
	tcase_add_test(tests, ends_empty);
	tcase_add_test(tests, begins_empty);
	tcase_add_test(tests, wipes_what_it_kept);
	tcase_add_loop_test(tests, makes_ids_of_one_shape, 0, n_starts);
	tcase_add_loop_test(tests, makes_distinct_ids, 0, n_starts);
	tcase_add_loop_test(tests, makes_ids_that_look_unlike, 0, n_starts);
	tcase_add_loop_test(tests, makes_ids_in_unequal_steps, 0, n_starts);
	add_time_and_client_tests(tests);
	suite_add_tcase(suite, tests);
	return support_run(suite);
}
