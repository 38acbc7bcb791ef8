# One static binary on a small image, as a user that owns nothing but /data.
#   docker build --build-arg VERSION=$(git describe --tags --always) -t lingjuli .
# Behind a slow line to the module proxy: --build-arg GOPROXY=https://your-mirror,direct
FROM golang:1.26-alpine AS build
ARG GOPROXY
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download && go mod verify
COPY . .
ARG VERSION=dev
RUN CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags "-s -w -X main.version=${VERSION}" -o /out/lingjuli ./cmd/lingjuli

FROM alpine:3.22
# ca-certificates: WeChat and Aliyun are called over TLS. The zone files are in the binary.
RUN apk add --no-cache ca-certificates \
    && adduser -D -H -u 10001 -s /sbin/nologin lingjuli \
    && install -d -o lingjuli -g lingjuli -m 0700 /data
COPY --from=build /out/lingjuli /usr/local/bin/lingjuli
# SQLite's place, where one is wanted; PostgreSQL needs none.
VOLUME /data
WORKDIR /data
USER 10001:10001
ENV LINGJULI_LISTEN=0.0.0.0:8080
EXPOSE 8080
# Ready, not only alive: the database answers and its schema is this version's. Redis away is no reason to restart.
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=6 \
    CMD ["wget", "-q", "-O", "/dev/null", "http://127.0.0.1:8080/readyz"]
ENTRYPOINT ["/usr/local/bin/lingjuli"]
CMD ["serve"]
