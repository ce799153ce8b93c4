# A server with the extensions vector, vector_tools and vector_ext, and vector-bulk, on Debian's packages.
#   docker build -t vector-ext .
#   docker run -e POSTGRES_PASSWORD=... vector-ext     (as the image of postgres)
ARG PG_MAJOR=17

FROM postgres:${PG_MAJOR}-trixie AS build
ARG PG_MAJOR
RUN apt-get update && apt-get install -y --no-install-recommends \
    cmake g++ libcli11-dev libfast-float-dev libfmt-dev libpq-dev libxsimd-dev libzstd-dev make \
    nlohmann-json3-dev pkgconf postgresql-server-dev-${PG_MAJOR} zlib1g-dev
COPY . /source
RUN make -C /source -j"$(nproc)" all client && make -C /source DESTDIR=/made install-vector install-client

FROM postgres:${PG_MAJOR}-trixie
RUN apt-get update && apt-get install -y --no-install-recommends libfmt10 libpq5 libzstd1 zlib1g \
    && rm -rf /var/lib/apt/lists/*
COPY --from=build /made/ /
