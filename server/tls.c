/*
 * Owns the certificate pairs: the one that is shown, and those that handshakes may still use.
 */
#include "tls.h"

#include <gnutls/gnutls.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "watchdog.h"

enum { MAX_CHAIN = 16 };

struct tls_pair {
	gnutls_pcert_st chain[MAX_CHAIN];
	unsigned n_chain;
	gnutls_privkey_t key;
	struct tls_pair *next_retired;
	int64_t retired_ms;
};

static _Atomic(struct tls_pair *) current;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER; /* of the retired */
static struct tls_pair *retired;

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

static bool
load_chain(struct tls_pair *pair, struct span certificate, struct tls_fault *ret_fault)
{
	gnutls_datum_t pem = datum_of(certificate);
	unsigned n = MAX_CHAIN;
	int result =
	    gnutls_pcert_list_import_x509_raw(pair->chain, &n, &pem, GNUTLS_X509_FMT_PEM, 0);

	if (result == GNUTLS_E_SUCCESS && n > 0) {
		pair->n_chain = n;
		return true;
	}
	*ret_fault = (struct tls_fault){
		false,
		result == GNUTLS_E_SHORT_MEMORY_BUFFER
		    ? "has more than 16 certificates; use the certificate and its chain only"
		    : "has no valid certificate; use a PEM file with the certificate and its chain"
	};
	return false;
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
		result == GNUTLS_E_DECRYPTION_FAILED
		    ? "is encrypted; use a PEM file without a password"
		    : "has no valid private key; use an unencrypted PEM file" };
	return false;
}

/* The key's public half is the one that the certificate is for. */
static bool
is_match(const struct tls_pair *pair, struct tls_fault *ret_fault)
{
	unsigned char of_key[64], of_certificate[64];
	size_t key_size = sizeof(of_key), certificate_size = sizeof(of_certificate);
	gnutls_pubkey_t public_key;
	bool good;

	*ret_fault = (struct tls_fault){
		true,
		"does not belong to the certificate; use the key that the certificate was made for"
	};
	if (gnutls_pubkey_init(&public_key) != GNUTLS_E_SUCCESS)
		return false;
	good =
	    gnutls_pubkey_import_privkey(public_key, pair->key, 0, 0) == 0 &&
	    gnutls_pubkey_get_key_id(public_key, GNUTLS_KEYID_USE_SHA256, of_key, &key_size) == 0 &&
	    gnutls_pubkey_get_key_id(pair->chain[0].pubkey, GNUTLS_KEYID_USE_SHA256, of_certificate,
		&certificate_size) == 0;
	gnutls_pubkey_deinit(public_key);
	return good && key_size == certificate_size &&
	       memcmp(of_key, of_certificate, key_size) == 0;
}

struct tls_pair *
tls_load(struct span certificate, struct span private_key, struct tls_fault *ret_fault)
{
	struct tls_pair *pair = calloc(1, sizeof(*pair));

	*ret_fault = (struct tls_fault){ false, "cannot be loaded; there is not enough memory" };
	if (pair == NULL)
		return NULL;
	if (load_chain(pair, certificate, ret_fault) && load_key(pair, private_key, ret_fault) &&
	    is_match(pair, ret_fault))
		return pair;
	tls_free(pair);
	return NULL;
}

time_t
tls_expiry(const struct tls_pair *pair)
{
	gnutls_x509_crt_t certificate;
	gnutls_pcert_st *leaf = (gnutls_pcert_st *)(uintptr_t)&pair->chain[0];
	time_t expiry;

	if (gnutls_pcert_export_x509(leaf, &certificate) != GNUTLS_E_SUCCESS)
		return 0;
	expiry = gnutls_x509_crt_get_expiration_time(certificate);
	gnutls_x509_crt_deinit(certificate);
	return expiry;
}

void
tls_install(struct tls_pair *pair)
{
	struct tls_pair *before = atomic_exchange(&current, pair);

	if (before == NULL)
		return;
	before->retired_ms = watch_now_ms();
	pthread_mutex_lock(&mutex);
	before->next_retired = retired;
	retired = before;
	pthread_mutex_unlock(&mutex);
}

void
tls_collect(int64_t oldest_handshake_ms)
{
	struct tls_pair **at = &retired;

	pthread_mutex_lock(&mutex);
	while (*at != NULL) {
		struct tls_pair *pair = *at;

		if (pair->retired_ms >= oldest_handshake_ms) {
			at = &pair->next_retired;
			continue;
		}
		*at = pair->next_retired;
		tls_free(pair);
	}
	pthread_mutex_unlock(&mutex);
}

void
tls_uninstall(void)
{
	tls_install(NULL);
	tls_collect(INT64_MAX);
}

int
tls_retrieve(gnutls_session_t session, const gnutls_datum_t *authorities, int n_authorities,
    const gnutls_pk_algorithm_t *algorithms, int n_algorithms, gnutls_pcert_st **ret_chain,
    unsigned *ret_n_chain, gnutls_privkey_t *ret_key)
{
	struct tls_pair *pair = atomic_load(&current);

	(void)session;
	(void)authorities;
	(void)n_authorities;
	(void)algorithms;
	(void)n_algorithms;
	if (pair == NULL)
		return -1;
	*ret_chain = pair->chain;
	*ret_n_chain = pair->n_chain;
	*ret_key = pair->key;
	return 0;
}

static size_t
exchange_bytes(gnutls_session_t session, struct span request, char *answer, size_t answer_size)
{
	size_t len = 0;
	ssize_t n;
	int result;

	do
		result = gnutls_handshake(session);
	while (result == GNUTLS_E_INTERRUPTED || result == GNUTLS_E_WARNING_ALERT_RECEIVED);
	if (result != GNUTLS_E_SUCCESS ||
	    gnutls_record_send(session, request.data, request.len) != (ssize_t)request.len)
		return 0;
	while (len < answer_size &&
	       (n = gnutls_record_recv(session, answer + len, answer_size - len)) > 0)
		len += (size_t)n;
	return len;
}

size_t
tls_ask(int fd, struct span request, char *answer, size_t answer_size)
{
	gnutls_certificate_credentials_t credentials;
	gnutls_session_t session;
	size_t len = 0;

	if (gnutls_certificate_allocate_credentials(&credentials) != GNUTLS_E_SUCCESS)
		return 0;
	if (gnutls_init(&session, GNUTLS_CLIENT) == GNUTLS_E_SUCCESS) {
		gnutls_set_default_priority(session);
		gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, credentials);
		gnutls_transport_set_int(session, fd);
		len = exchange_bytes(session, request, answer, answer_size);
		gnutls_deinit(session);
	}
	gnutls_certificate_free_credentials(credentials);
	return len;
}
