# recall-redirectd, the shared libraries that it needs, and nothing else.
#
#   make image          builds it, with podman or docker
#   make check-image    builds it, runs it as production would, and checks it
#
# Without make: docker build -t recall-redirectd .   (podman: --format docker, or HEALTHCHECK is lost)

# Another name for the same, such as a mirror's; its libraries are what is shipped.
ARG BASE=debian:trixie-slim

# --- the program; upgraded first, since libraries of the base are copied out of here too ---

FROM ${BASE} AS build
WORKDIR /src
COPY Makefile ./
RUN export DEBIAN_FRONTEND=noninteractive; \
    apt-get update -qq && apt-get upgrade -qq -y && \
    apt-get install -qq -y --no-install-recommends make && make deps
COPY server server
RUN make -j"$(nproc)" all

# --- the tests; a machine that builds images may be busy: WRAPPER makes them patient ---

FROM build AS check
RUN make deps-check
COPY . .
RUN make -j"$(nproc)" check-run WRAPPER=env && touch /checked

# --- what is shipped; made only where the tests have passed ---

FROM build AS root
COPY --from=check /checked /checked
# Records of packages lie where scanners look for them in images without dpkg: one file each, in status.d.
RUN set -eu; \
    program=/image/usr/local/bin/recall-redirectd; records=/image/var/lib/dpkg/status.d; \
    install -d "$records" /image/etc/recall-redirectd; \
    install -D -m 755 build/recall-redirectd "$program"; \
    strip "$program"; \
    if ldd "$program" | grep 'not found'; then exit 1; fi; \
    libraries=$(ldd "$program" | grep -o '/[^ ]*'); \
    cp -L --parents $libraries /etc/os-release /etc/debian_version /image; \
    for library in $libraries /etc/debian_version; do \
        dpkg-query -S "*/$(basename "$(readlink -f "$library")")"; \
    done | sed '/^diversion by/d; s/: .*//' | sort -u >/packages; \
    while read -r package; do \
        name=${package%%:*}; \
        dpkg-query -s "$package" >"$records/$name"; \
        cp "$(dpkg-query --control-path "$package" md5sums)" "$records/$name.md5sums"; \
        cp -L --parents "/usr/share/doc/$name/copyright" /image; \
    done </packages; \
    echo 'redirectd:x:65532:65532::/nonexistent:/usr/sbin/nologin' >/image/etc/passwd; \
    echo 'redirectd:x:65532:' >/image/etc/group

FROM scratch
ARG VERSION=unknown
LABEL org.opencontainers.image.title="recall-redirectd" \
      org.opencontainers.image.description="Microsoft OAuth redirect server for Recall.ai calendars, on your own domain" \
      org.opencontainers.image.version="${VERSION}"
COPY --from=root /image/ /
# Metrics and health for whoever shares the container's network; never publish this port.
ENV REDIRECTD_ADMIN_ADDRESS=::
USER 65532:65532
EXPOSE 8080 9464
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=5s --retries=3 \
    CMD ["/usr/local/bin/recall-redirectd", "healthcheck"]
ENTRYPOINT ["/usr/local/bin/recall-redirectd"]
