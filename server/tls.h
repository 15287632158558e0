/*
 * tls: the certificate that the public listener shows, and its replacement while it serves.
 */
#ifndef TLS_H
#define TLS_H

#include <gnutls/abstract.h>
#include <stdint.h>
#include <time.h>

#include "text.h"

/*
 * TLS 1.2 and 1.3, AEAD ciphers, ephemeral elliptic-curve key exchange; the server's order. X25519
 * is first because it is what clients guess: another group costs a round trip. AES-128-GCM because
 * with SHA-256 it is the cheapest, and 128 bits are what the curves have.
 */
#define TLS_PRIORITIES                                                                             \
	"NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-RSA:-DHE-RSA:-DHE-DSS:"                       \
	"-CIPHER-ALL:+AES-128-GCM:+AES-256-GCM:+CHACHA20-POLY1305:"                                \
	"-GROUP-ALL:+GROUP-X25519:+GROUP-SECP256R1:+GROUP-SECP384R1:"                              \
	"+GROUP-SECP521R1:+GROUP-X448:%SERVER_PRECEDENCE"

struct tls_pair;

struct tls_fault {
	bool is_key;      /* the private key is at fault, not the certificate */
	const char *text; /* constant: "is encrypted; ..." */
};

/* Load a certificate chain and its private key from PEM text. NULL with *ret_fault. */
struct tls_pair *tls_load(
    struct span certificate, struct span private_key, struct tls_fault *ret_fault);

/* When the certificate ends. */
time_t tls_expiry(const struct tls_pair *pair);

/* Takes NULL. Not for a pair that was installed. */
void tls_free(struct tls_pair *pair);

/* Show this pair from now on. The one before stays alive for handshakes that began with it. */
void tls_install(struct tls_pair *pair);

/* Free replaced pairs that no handshake uses: the oldest one under way began at this time. */
void tls_collect(int64_t oldest_handshake_ms);

/* Free everything; after the last connection. */
void tls_uninstall(void);

/* gnutls_certificate_retrieve_function2, for libmicrohttpd. */
int tls_retrieve(gnutls_session_t session, const gnutls_datum_t *authorities, int n_authorities,
    const gnutls_pk_algorithm_t *algorithms, int n_algorithms, gnutls_pcert_st **ret_chain,
    unsigned *ret_n_chain, gnutls_privkey_t *ret_key);

/*
 * As a client on a connected socket: handshake without verification, send, receive until answer is
 * full or the other side ends. Returns the bytes received. For the health check.
 */
size_t tls_ask(int fd, struct span request, char *answer, size_t answer_size);

#endif
