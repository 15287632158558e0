/*
 * Renewal of the certificate while the server serves, and which TLS it speaks.
 */
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support.h"
#include "wire/wire.h"

#define READY "GET /readyz HTTP/1.1\r\nHost: h\r\n\r\n"

enum { DAY = 86400, MOST_KIB = 2 * 1024 };

static struct wire_server server;
static struct wire_answer answer;
static struct wire_pair shown, next; /* shown: the files that the server reads */

static void
start_with(enum wire_key algorithm, long from, long until, mode_t key_mode)
{
	char certificate[96], key[96];

	wire_make_pair(&shown, algorithm, "first", from, until);
	wire_make_pair(&next, algorithm, "second", -60, 90L * DAY);
	ck_assert_int_eq(chmod(shown.key, key_mode), 0);
	snprintf(certificate, sizeof(certificate), "--tls.certificate=%s", shown.certificate);
	snprintf(key, sizeof(key), "--tls.private_key=%s", shown.key);
	wire_start(&server, (const char *[]){ "--listen.port=0", "--listen.address=127.0.0.1",
				"--admin.port=0", "--threads=2", "--log.access=false",
				"--limits.request_seconds=1", certificate, key, NULL });
	server.tls = true;
}

static void
start_usual(void)
{
	start_with(WIRE_ECDSA, -60, 90L * DAY, 0600);
}

static void
start_rsa(void)
{
	start_with(WIRE_RSA, -60, 90L * DAY, 0600);
}

static void
stop(void)
{
	ck_assert_int_eq(wire_stop(&server), 0);
	wire_remove_pair(&shown);
	wire_remove_pair(&next);
}

static void
copy(const char *from, const char *to, size_t most)
{
	static char bytes[16 * 1024];
	FILE *file = fopen(from, "r");
	size_t len = fread(bytes, 1, most < sizeof(bytes) ? most : sizeof(bytes), file);

	fclose(file);
	file = fopen(to, "w");
	ck_assert_uint_eq(fwrite(bytes, 1, len, file), len);
	fclose(file);
}

/* How many lines of the log have this event. */
static int
count_events(const char *event)
{
	char *log = wire_log(&server), wanted[64];
	int n = 0;

	snprintf(wanted, sizeof(wanted), "\"event\":\"%s\"", event);
	for (const char *at = log; (at = strstr(at, wanted)) != NULL; at++)
		n++;
	free(log);
	return n;
}

static void
assert_logged(const char *text)
{
	char *log = wire_log(&server);

	ck_assert_msg(strstr(log, text) != NULL, "no %s in %s", text, log);
	free(log);
}

/* SIGHUP, and wait until it has been worked off. */
static void
reload(const char *event)
{
	int before = count_events(event);

	ck_assert_int_eq(kill(server.pid, SIGHUP), 0);
	for (int waited = 0; count_events(event) == before; waited++) {
		ck_assert_msg(waited < wire_patience(), "no %s after SIGHUP", event);
		usleep(1000);
	}
	usleep(20000); /* the pair is shown just after it is logged */
}

static void
ask_ready(struct wire *wire)
{
	wire_send(wire, (struct span)SPAN(READY));
	wire_receive(wire, false, wire_patience(), &answer);
	ck_assert_int_eq(answer.status, 200);
}

static void
assert_shows(const char *name)
{
	char seen[64];
	struct wire wire;

	wire_connect(&server, &wire);
	wire_peer_name(&wire, seen, sizeof(seen));
	ck_assert_str_eq(seen, name);
	ask_ready(&wire);
	wire_close(&wire);
}

static void
renew(void)
{
	copy(next.certificate, shown.certificate, SIZE_MAX);
	copy(next.key, shown.key, SIZE_MAX);
}

/* --- renewal --- */

START_TEST(new_connections_see_the_new_pair)
{
	struct wire kept;

	wire_connect(&server, &kept);
	ask_ready(&kept);
	assert_shows("first");
	renew();
	assert_shows("first");
	reload("certificate_loaded");
	assert_shows("second");
	ask_ready(&kept);
	reload("certificate_loaded");
	usleep(500000); /* the watchdog has freed what was retired */
	ask_ready(&kept);
	wire_close(&kept);
}
END_TEST

static void
mismatch(void)
{
	copy(next.key, shown.key, SIZE_MAX);
}

static void
mismatch_certificate(void)
{
	copy(next.certificate, shown.certificate, SIZE_MAX);
}

static void
truncate_certificate(void)
{
	copy(next.key, shown.key, SIZE_MAX);
	copy(next.certificate, shown.certificate, 200);
}

static void
truncate_key(void)
{
	copy(next.certificate, shown.certificate, SIZE_MAX);
	copy(next.key, shown.key, 100);
}

static void
empty_certificate(void)
{
	copy(next.certificate, shown.certificate, 0);
}

static void
remove_certificate(void)
{
	unlink(shown.certificate);
}

static void
remove_key(void)
{
	unlink(shown.key);
}

static void
encrypt_key(void)
{
	gnutls_x509_privkey_t key;
	static unsigned char pem[16 * 1024];
	size_t size = sizeof(pem);
	FILE *file;

	gnutls_x509_privkey_init(&key);
	gnutls_x509_privkey_generate(
	    key, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0);
	ck_assert_int_eq(gnutls_x509_privkey_export_pkcs8(key, GNUTLS_X509_FMT_PEM, "secret",
			     GNUTLS_PKCS_PBES2_AES_256, pem, &size),
	    0);
	gnutls_x509_privkey_deinit(key);
	file = fopen(shown.key, "w");
	fwrite(pem, 1, size, file);
	fclose(file);
}

static const struct {
	const char *name;
	void (*spoil)(void);
	const char *cause;
} spoilt[] = {
	{ "other key", mismatch, "tls.private_key: does not belong to the first certificate" },
	{ "other certificate", mismatch_certificate, "does not belong to the first certificate" },
	{ "truncated certificate", truncate_certificate, "tls.certificate: has no valid" },
	{ "truncated key", truncate_key, "tls.private_key: has no valid private key" },
	{ "empty certificate", empty_certificate, "tls.certificate: has no valid" },
	{ "no certificate", remove_certificate, "tls.certificate: cannot be read: No such file" },
	{ "no key", remove_key, "tls.private_key: cannot be read: No such file" },
	{ "encrypted key", encrypt_key, "tls.private_key: is encrypted" },
};

START_TEST(spoilt_pair_is_refused_and_the_old_one_stays)
{
	spoilt[_i].spoil();
	reload("certificate_refused");
	assert_logged(spoilt[_i].cause);
	assert_shows("first");
	renew();
	reload("certificate_loaded");
	assert_shows("second");
}
END_TEST

START_TEST(expired_certificate_is_warned_of)
{
	start_with(WIRE_ECDSA, -2L * DAY, -1L * DAY, 0600);
	assert_logged("\"level\":\"error\",\"event\":\"certificate_expired\"");
	assert_shows("first");
	renew();
	reload("certificate_loaded");
	ck_assert_int_eq(count_events("certificate_expired"), 1);
	stop();
}
END_TEST

START_TEST(certificate_that_ends_soon_is_warned_of)
{
	start_with(WIRE_ECDSA, -60, 13L * DAY, 0600);
	assert_logged("\"level\":\"warning\",\"event\":\"certificate_expires_soon\"");
	stop();
	start_with(WIRE_ECDSA, -60, 15L * DAY, 0600);
	ck_assert_int_eq(count_events("certificate_expires_soon"), 0);
	ck_assert_int_eq(count_events("certificate_loaded"), 1);
	stop();
}
END_TEST

START_TEST(key_that_others_can_read_is_warned_of)
{
	static const char warning[] = "tls.private_key: is open to other users";
	char *log;

	start_with(WIRE_ECDSA, -60, 90L * DAY, 0644);
	assert_logged(warning);
	stop();
	start_with(WIRE_ECDSA, -60, 90L * DAY, 0640);
	log = wire_log(&server);
	ck_assert_ptr_null(strstr(log, warning));
	free(log);
	stop();
}
END_TEST

/* --- commands that know the pair --- */

/* What a command says of the pair whose key has this mode, and its exit status. */
static void
assert_command(
    const char *command, const struct wire_pair *pair, mode_t mode, int status, const char *says)
{
	char certificate[96], key[96], port[32];
	struct wire_server run;
	char *log;

	ck_assert_int_eq(chmod(pair->key, mode), 0);
	snprintf(certificate, sizeof(certificate), "--tls.certificate=%s", pair->certificate);
	snprintf(key, sizeof(key), "--tls.private_key=%s", pair->key);
	snprintf(port, sizeof(port), "--listen.port=%u", server.port);
	ck_assert_int_eq(
	    wire_run(&run, (const char *[]){ command, certificate, key, port, NULL }), status);
	log = wire_log(&run);
	ck_assert_msg(strstr(log, says) != NULL, "%s: %s", command, log);
	free(log);
	unlink(run.log_path);
}

START_TEST(check_reads_the_pair)
{
	struct wire_pair mixed = shown;

	assert_command("check", &shown, 0600, 0, "The configuration is good.");
	assert_command(
	    "check", &shown, 0644, 0, "warning: tls.private_key: is open to other users");
	memcpy(mixed.key, next.key, sizeof(mixed.key));
	assert_command("check", &mixed, 0600, 78, "error: ");
}
END_TEST

START_TEST(healthcheck_speaks_tls)
{
	struct wire_server plain;
	char port[32];

	assert_command("healthcheck", &shown, 0600, 0, "");
	snprintf(port, sizeof(port), "--listen.port=%u", server.port);
	ck_assert_int_eq(wire_run(&plain, (const char *[]){ "healthcheck", port, NULL }), 1);
	unlink(plain.log_path);
}
END_TEST

/* --- many renewals beside many handshakes --- */

/* Fewer under a tool, unless CHECK_QUICK=0; with CHECK_QUICK=1 always. */
static int
n_reloads(void)
{
	const char *quick = getenv("CHECK_QUICK");
	bool is_quick = quick != NULL ? strcmp(quick, "1") == 0 : wire_is_slowed();

	return is_quick ? 50 : 1000;
}

struct client {
	pthread_t thread;
	int n_failed;
};

static atomic_int n_handshakes_left;

static void *
shake_hands(void *cls)
{
	struct client *client = cls;

	while (atomic_fetch_sub(&n_handshakes_left, 1) > 0) {
		struct wire wire;

		if (wire_try_tls(&server, "NORMAL", &wire))
			wire_close(&wire);
		else
			client->n_failed++;
	}
	return NULL;
}

/* Each is waited for: the server must not read what is being written. */
static void
reload_many(int n, const struct wire_pair *back, int *n_done)
{
	for (int i = 0; i < n; i++) {
		const struct wire_pair *pair = (*n_done)++ % 2 == 0 ? &next : back;
		int before = count_events("certificate_loaded");

		copy(pair->certificate, shown.certificate, SIZE_MAX);
		copy(pair->key, shown.key, SIZE_MAX);
		kill(server.pid, SIGHUP);
		for (int waited = 0; count_events("certificate_loaded") == before; waited++) {
			ck_assert_int_lt(waited, wire_patience());
			usleep(500);
		}
	}
}

START_TEST(many_renewals_harm_no_handshake)
{
	int n = n_reloads(), n_done = 0;
	struct client clients[2] = { 0 };
	struct wire_pair back;
	long early, late;

	wire_make_pair(&back, WIRE_ECDSA, "third", -60, 90L * DAY);
	gnutls_global_init();
	atomic_store(&n_handshakes_left, n == 1000 ? 5000 : 200);
	for (int i = 0; i < 2; i++)
		pthread_create(&clients[i].thread, NULL, shake_hands, &clients[i]);
	reload_many(n / 5, &back, &n_done);
	early = wire_rss_kib(&server);
	reload_many(n - n / 5, &back, &n_done);
	for (int i = 0; i < 2; i++)
		pthread_join(clients[i].thread, NULL);
	late = wire_rss_kib(&server);
	ck_assert_int_eq(clients[0].n_failed + clients[1].n_failed, 0);
	ck_assert_msg(wire_is_slowed() || late - early < MOST_KIB,
	    "memory grew from %ld to %ld KiB", early, late);
	ck_assert_int_eq(count_events("certificate_refused"), 0);
	ck_assert_int_eq(count_events("certificate_loaded"), n + 1);
	wire_remove_pair(&back);
}
END_TEST

/* --- protocols --- */

static const struct {
	const char *priorities;
	bool taken;
} offers[] = {
	{ "NORMAL", true },
	{ "NORMAL:-VERS-ALL:+VERS-TLS1.3", true },
	{ "NORMAL:-VERS-ALL:+VERS-TLS1.2:-KX-ALL:+ECDHE-ECDSA:+ECDHE-RSA:-CIPHER-ALL:+AES-128-GCM",
	    true },
	{ "NORMAL:-VERS-ALL:+VERS-TLS1.2:-CIPHER-ALL:+CHACHA20-POLY1305", true },
	{ "NORMAL:-VERS-ALL:+VERS-TLS1.1:%COMPAT", false },
	{ "NORMAL:-VERS-ALL:+VERS-TLS1.0:%COMPAT", false },
	{ "NORMAL:-VERS-ALL:+VERS-TLS1.2:-CIPHER-ALL:+AES-128-CBC:+AES-256-CBC:+SHA1", false },
	{ "NORMAL:-VERS-ALL:+VERS-TLS1.2:-CIPHER-ALL:+AES-128-CBC:-MAC-ALL:+SHA256", false },
	{ "NORMAL:-VERS-ALL:+VERS-TLS1.2:-CIPHER-ALL:+AES-128-CCM:+AES-256-CCM", false },
	{ "NORMAL:-VERS-ALL:+VERS-TLS1.2:-KX-ALL:+RSA", false },
	{ "NORMAL:-VERS-ALL:+VERS-TLS1.2:-KX-ALL:+DHE-RSA", false },
	{ "NORMAL:-VERS-ALL:+VERS-TLS1.3:-GROUP-ALL:+GROUP-FFDHE2048", false },
};

START_TEST(speaks_modern_tls_only)
{
	struct wire wire;
	bool taken = wire_try_tls(&server, offers[_i].priorities, &wire);

	ck_assert_msg(taken == offers[_i].taken, "%s: %s", offers[_i].priorities,
	    taken ? "taken" : "refused");
	if (!taken)
		return;
	ask_ready(&wire);
	wire_close(&wire);
}
END_TEST

static void
add_protocols(Suite *suite, const char *name, void (*start)(void))
{
	TCase *tests = tcase_create(name);

	tcase_set_timeout(tests, 300);
	tcase_add_unchecked_fixture(tests, start, stop);
	tcase_add_loop_test(tests, speaks_modern_tls_only, 0, sizeof(offers) / sizeof(offers[0]));
	suite_add_tcase(suite, tests);
}

int
main(void)
{
	Suite *suite = suite_create("reload");
	TCase *renewal = tcase_create("renewal"), *warnings = tcase_create("warnings");

	signal(SIGPIPE, SIG_IGN);
	tcase_set_timeout(renewal, 1800);
	tcase_add_checked_fixture(renewal, start_usual, stop);
	tcase_add_test(renewal, new_connections_see_the_new_pair);
	tcase_add_loop_test(renewal, spoilt_pair_is_refused_and_the_old_one_stays, 0,
	    sizeof(spoilt) / sizeof(spoilt[0]));
	tcase_add_test(renewal, check_reads_the_pair);
	tcase_add_test(renewal, healthcheck_speaks_tls);
	tcase_add_test(renewal, many_renewals_harm_no_handshake);
	suite_add_tcase(suite, renewal);
	tcase_set_timeout(warnings, 60);
	tcase_add_test(warnings, expired_certificate_is_warned_of);
	tcase_add_test(warnings, certificate_that_ends_soon_is_warned_of);
	tcase_add_test(warnings, key_that_others_can_read_is_warned_of);
	suite_add_tcase(suite, warnings);
	add_protocols(suite, "ecdsa", start_usual);
	add_protocols(suite, "rsa", start_rsa);
	return support_run(suite);
}
