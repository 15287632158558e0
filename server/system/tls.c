#include "system/tls.h"

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/queue.h>

#include "base/clock.h"

enum { MAX_CHAIN = 16 };

struct tls_pair {
	gnutls_pcert_st chain[MAX_CHAIN];
	unsigned n_chain;
	gnutls_privkey_t key;
	struct tls_facts facts;
	LIST_ENTRY(tls_pair) retired;
	int64_t retired_ms;
};

static _Atomic(struct tls_pair *) current;
static LIST_HEAD(tls_pairs, tls_pair) retired = LIST_HEAD_INITIALIZER(retired);

void
tls_free(struct tls_pair *pair)
{
	if (pair == NULL)
		return;
	for (unsigned i = 0; i < pair->n_chain; i++)
		gnutls_pcert_deinit(&pair->chain[i]);
	if (pair->key != NULL)
		gnutls_privkey_deinit(pair->key);
	free(pair);
}

static gnutls_datum_t
datum_of(struct span text)
{
	return (gnutls_datum_t){ (unsigned char *)(uintptr_t)text.data, (unsigned)text.len };
}

static void
describe(gnutls_x509_crt_t *chain, unsigned n, const char *host, struct tls_facts *ret_facts)
{
	int algorithm = gnutls_x509_crt_get_pk_algorithm(chain[0], NULL);

	*ret_facts = (struct tls_facts){
		.from = gnutls_x509_crt_get_activation_time(chain[0]),
		.until = gnutls_x509_crt_get_expiration_time(chain[0]),
		.is_for_host = gnutls_x509_crt_check_hostname(chain[0], host) != 0,
		.is_ordered = true,
		.is_rsa = algorithm == GNUTLS_PK_RSA || algorithm == GNUTLS_PK_RSA_PSS,
	};
	for (unsigned i = 0; i + 1 < n; i++)
		ret_facts->is_ordered &= gnutls_x509_crt_check_issuer(chain[i], chain[i + 1]) != 0;
}

static bool
load_chain(
    struct tls_pair *pair, struct span certificate, const char *host, struct tls_fault *ret_fault)
{
	gnutls_datum_t pem = datum_of(certificate);
	gnutls_x509_crt_t *chain;
	unsigned n = 0;
	bool good =
	    gnutls_x509_crt_list_import2(&chain, &n, &pem, GNUTLS_X509_FMT_PEM, 0) >= 0 && n > 0;

	*ret_fault = (struct tls_fault){ false,
		good ? "has more than 16 certificates" : "has no valid certificate",
		"use a PEM file with the server's certificate and those that issued it" };
	if (!good)
		return false;
	describe(chain, n, host, &pair->facts);
	for (unsigned i = 0; i < n; i++) {
		if (n <= MAX_CHAIN && gnutls_pcert_import_x509(&pair->chain[i], chain[i], 0) == 0)
			pair->n_chain++;
		gnutls_x509_crt_deinit(chain[i]);
	}
	gnutls_free(chain);
	return pair->n_chain == n;
}

static bool
load_key(struct tls_pair *pair, struct span private_key, struct tls_fault *ret_fault)
{
	gnutls_datum_t pem = datum_of(private_key);
	int result = gnutls_privkey_init(&pair->key);

	if (result == GNUTLS_E_SUCCESS)
		result =
		    gnutls_privkey_import_x509_raw(pair->key, &pem, GNUTLS_X509_FMT_PEM, NULL, 0);
	if (result == GNUTLS_E_SUCCESS)
		return true;
	*ret_fault = (struct tls_fault){ true,
		result == GNUTLS_E_DECRYPTION_FAILED ? "is encrypted" : "has no valid private key",
		"use a PEM file without a password" };
	return false;
}

static bool
key_id(gnutls_pubkey_t key, unsigned char ret_id[32])
{
	size_t size = 32; /* of SHA-256 */

	return gnutls_pubkey_get_key_id(key, GNUTLS_KEYID_USE_SHA256, ret_id, &size) == 0;
}

/* Whether the private key is that of the first certificate. */
static bool
is_own(const struct tls_pair *pair)
{
	unsigned char own[32], first[32];
	gnutls_pubkey_t public_key;
	bool good;

	if (gnutls_pubkey_init(&public_key) != GNUTLS_E_SUCCESS)
		return false;
	good = gnutls_pubkey_import_privkey(public_key, pair->key, 0, 0) == 0 &&
	       key_id(public_key, own) && key_id(pair->chain[0].pubkey, first) &&
	       memcmp(own, first, sizeof(own)) == 0;
	gnutls_pubkey_deinit(public_key);
	return good;
}

struct tls_pair *
tls_load(
    struct span certificate, struct span private_key, const char *host, struct tls_fault *ret_fault)
{
	struct tls_pair *pair = calloc(1, sizeof(*pair));

	*ret_fault = (struct tls_fault){ false, "cannot be loaded", "there is not enough memory" };
	if (pair == NULL)
		return NULL;
	if (load_chain(pair, certificate, host, ret_fault) &&
	    load_key(pair, private_key, ret_fault)) {
		if (is_own(pair))
			return pair;
		*ret_fault = (struct tls_fault){ true, "does not belong to the first certificate",
			"put the server's own certificate first, then the one that issued it, and "
			"so on; or use the key that it was made for" };
	}
	tls_free(pair);
	return NULL;
}

const struct tls_facts *
tls_facts(const struct tls_pair *pair)
{
	return &pair->facts;
}

void
tls_install(struct tls_pair *pair)
{
	struct tls_pair *before = atomic_exchange(&current, pair);

	if (before == NULL)
		return;
	before->retired_ms = clock_now_ms();
	LIST_INSERT_HEAD(&retired, before, retired);
}

void
tls_collect(int64_t before_ms)
{
	struct tls_pair *next;

	for (struct tls_pair *pair = LIST_FIRST(&retired); pair != NULL; pair = next) {
		next = LIST_NEXT(pair, retired);
		if (pair->retired_ms >= before_ms)
			continue;
		LIST_REMOVE(pair, retired);
		tls_free(pair);
	}
}

/* gnutls_certificate_retrieve_function2 */
static int
retrieve(gnutls_session_t, const gnutls_datum_t *, int, const gnutls_pk_algorithm_t *, int,
    gnutls_pcert_st **ret_chain, unsigned *ret_n_chain, gnutls_privkey_t *ret_key)
{
	struct tls_pair *pair = atomic_load(&current);

	if (pair == NULL)
		return -1;
	*ret_chain = pair->chain;
	*ret_n_chain = pair->n_chain;
	*ret_key = pair->key;
	return 0;
}

void *
tls_retriever(void)
{
	return (void *)(uintptr_t)retrieve;
}

void
tls_send(void *session, struct span bytes)
{
	ssize_t n;

	while (bytes.len > 0 && (n = gnutls_record_send(session, bytes.data, bytes.len)) > 0)
		bytes = span_from(bytes, (size_t)n);
}

void
tls_ask(int fd, struct span request, char *answer, size_t answer_size)
{
	gnutls_certificate_credentials_t credentials;
	gnutls_session_t session;

	if (gnutls_certificate_allocate_credentials(&credentials) != GNUTLS_E_SUCCESS)
		return;
	if (gnutls_init(&session, GNUTLS_CLIENT) == GNUTLS_E_SUCCESS) {
		gnutls_set_default_priority(session);
		gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, credentials);
		gnutls_transport_set_int(session, fd);
		if (gnutls_handshake(session) == GNUTLS_E_SUCCESS) {
			tls_send(session, request);
			while (gnutls_record_recv(session, answer, answer_size) ==
			       GNUTLS_E_AGAIN) /* a session ticket came first */
				;
		}
		gnutls_deinit(session);
	}
	gnutls_certificate_free_credentials(credentials);
}
