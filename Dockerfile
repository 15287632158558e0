# recall-redirectd, the shared libraries that it needs, and nothing else.
#
#   make image          builds it, with docker or podman; PLATFORMS=linux/amd64,linux/arm64 for both
#   make check-image    builds it, runs it as production would, and checks it
#
# Without make: docker build -t recall-redirectd .   (podman: --format docker, or HEALTHCHECK is lost)

# Another name for the same, such as a mirror's; its libraries are what is shipped.
ARG BASE=debian:trixie-slim
# The machine that builds, such as linux/amd64. `make image` says so, because engines differ in what they know.
ARG BUILDPLATFORM=linux

# --- the tests, on the machine that builds; it may be busy: WRAPPER makes them patient ---

# Upgraded first, because libraries of the base are copied out of here too.
FROM --platform=${BUILDPLATFORM} ${BASE} AS check
WORKDIR /src
COPY Makefile ./
COPY tests/repo/deps.sh tests/repo/
RUN export DEBIAN_FRONTEND=noninteractive; \
    apt-get update -qq && apt-get upgrade -qq -y && \
    apt-get install -qq -y --no-install-recommends make && make deps-check
COPY . .
# What make has to do. `make check-image` builds twice, to compare, and tests once: the other time this is `all`.
ARG GOAL=check-run
RUN make -j"$(nproc)" "$GOAL" WRAPPER=env

# --- the program: what was tested, or the same for another processor; only where the tests have passed ---

FROM check AS build
ARG TARGETARCH
RUN sh config/image/root.sh "${TARGETARCH:-$(dpkg --print-architecture)}" /image

# --- what is shipped ---

FROM scratch
ARG VERSION=unknown
LABEL org.opencontainers.image.title="recall-redirectd" \
      org.opencontainers.image.description="Microsoft OAuth redirect server for Recall.ai calendars, on your own domain" \
      org.opencontainers.image.version="${VERSION}"
COPY --from=build /image/ /
# Metrics and health for whoever shares the container's network; never publish this port.
ENV REDIRECTD_ADMIN_ADDRESS=::
USER 65532:65532
EXPOSE 8080 9464
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=5s --retries=3 \
    CMD ["/usr/local/bin/recall-redirectd", "healthcheck"]
ENTRYPOINT ["/usr/local/bin/recall-redirectd"]
