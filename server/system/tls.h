/* tls: the certificate that the public listener shows, and its replacement while it serves. */
#pragma once

#include <stdint.h>
#include <time.h>

#include "base/text.h"

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
	bool is_key;                /* the private key is at fault, not the certificate */
	const char *wrong, *advice; /* constants: "is encrypted", "use ..." */
};

/*
 * Load a certificate chain and its private key from PEM text. host: the name that clients use; may
 * be empty. NULL with *ret_fault.
 */
struct tls_pair *tls_load(struct span certificate, struct span private_key, const char *host,
    struct tls_fault *ret_fault);

struct tls_facts {
	time_t from, until;
	bool is_for_host;
	bool is_ordered; /* each certificate of the chain was issued by the next one */
	bool is_rsa;
};

/* What the certificate says. */
const struct tls_facts *tls_facts(const struct tls_pair *pair);

/* Takes NULL. Not for a pair that was installed. */
void tls_free(struct tls_pair *pair);

/* Show this pair from now on; NULL: none. The one before stays alive for handshakes that began with
 * it. */
void tls_install(struct tls_pair *pair);

/*
 * Free pairs that were replaced before this moment (clock_now_ms). INT64_MAX: free them all. For
 * the thread that installs them.
 */
void tls_collect(int64_t before_ms);

/* The callback that hands out the pair, as MHD_OPTION_HTTPS_CERT_CALLBACK wants it. */
void *tls_retriever(void);

/* Send on a gnutls_session_t that the HTTP library set up, in the thread of its loop. */
void tls_send(void *session, struct span bytes);

/*
 * As a client on a connected socket: handshake without verification, send, receive what fits into
 * answer of the first record. For the health check.
 */
void tls_ask(int fd, struct span request, char *answer, size_t answer_size);
