# The AI Agent Server, and its reference bridge (`bridge` as the command in place of `serve`).
#
#     docker build --tag ai-agent-server .
#     docker run --read-only --tmpfs /tmp --volume ai-agent-data:/data --env-file env \
#         --publish 3001:3001 --stop-timeout 30 ai-agent-server
#
# docs/containers.md says what to set.
ARG BASE=debian:trixie-slim

FROM ${BASE} AS build
# Debian's newest packages: they have the security fixes.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates python3-venv \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /opt/ai-agent-server
COPY requirements.txt .
# Wheels alone, each with the hash that the lock names: nothing is compiled here.
RUN python3 -m venv .venv \
    && .venv/bin/pip install --no-cache-dir --no-compile --only-binary :all: \
        --require-hashes --requirement requirements.txt
COPY pyproject.toml .
COPY domain domain
COPY application application
COPY adapters adapters
COPY entrypoints entrypoints
# Compiled once for all starts, as the root file system is read-only; without times in the files.
RUN .venv/bin/pip install --no-cache-dir --no-compile --no-deps --no-build-isolation . \
    && .venv/bin/pip uninstall --yes setuptools pip \
    && .venv/bin/python -m compileall -q --invalidation-mode unchecked-hash .venv/lib

FROM ${BASE}
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates python3 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --home-dir /data --shell /usr/sbin/nologin ai-agent \
    && install --directory --owner=ai-agent --group=ai-agent --mode=700 /data
COPY --from=build /opt/ai-agent-server/.venv /opt/ai-agent-server/.venv
ENV PATH=/opt/ai-agent-server/.venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    SERVER_HOST=0.0.0.0 \
    BRIDGE_HOST=0.0.0.0 \
    SQLITE_PATH=/data/conversations.sqlite3 \
    BRIDGE_SQLITE_PATH=/data/bridge.sqlite3 \
    KNOWLEDGE_INDEX=/data/knowledge \
    HEALTH_URL=http://127.0.0.1:3001/health \
    LOG_FORMAT=json
USER 10001:10001
WORKDIR /data
VOLUME /data
EXPOSE 3001 4000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as http; http.urlopen(os.environ['HEALTH_URL'], timeout=4)"]
ENTRYPOINT ["ai-agent-server"]
CMD ["serve"]
