# Afterword as an image: docs/operating.md says how to run it. Both stages share one base, so that the virtual
# environment built in the first finds the same Python in the second.
FROM debian:trixie-slim AS build

ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_NO_INPUT=1

# No versions are pinned here: Debian's stable release changes only for security, and old versions leave its mirrors.
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install -y --no-install-recommends python3 python3-venv \
 && rm -rf /var/lib/apt/lists/*

WORKDIR /src
# The dependencies come first: a change of our own code leaves this layer as it is.
COPY docs/deploy/image.lock docs/deploy/image.lock
RUN python3 -m venv /opt/afterword \
 && /opt/afterword/bin/pip install --no-deps --require-hashes -r docs/deploy/image.lock

COPY pyproject.toml README.md LICENSE ./
COPY bot bot
COPY handlers handlers
COPY storage storage
COPY templates templates
# The tools that build a wheel are needed once, and pip is never needed at run time. Templates are compiled here, as pip
# compiles modules: where the image runs, nothing can be written beside them.
RUN /opt/afterword/bin/pip install --no-deps --no-build-isolation . \
 && /opt/afterword/bin/python -c "from bot.export.templates import load_shipped_templates as load; load(); \
      from bot.slack.views.templates import prepare; prepare()" \
 && /opt/afterword/bin/pip uninstall -y editables hatchling pip


FROM debian:trixie-slim

# Pango and HarfBuzz lay out PDF; Noto has letters for most scripts (for Chinese, Japanese and Korean see docs/operating.md).
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates fonts-noto-core libharfbuzz-subset0 libpango-1.0-0 \
      libpangoft2-1.0-0 python3 \
 && rm -rf /var/lib/apt/lists/* \
 && install -d -o 10001 -g 10001 -m 0700 /data

COPY --from=build /opt/afterword /opt/afterword

# Fonts are indexed and PDF is laid out below HOME, which may be a scratch folder.
ENV PATH=/opt/afterword/bin:/usr/local/bin:/usr/bin:/bin \
    HOME=/tmp \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    DATABASE_URL=sqlite:////data/afterword.db \
    AFTERWORD_HOST=0.0.0.0 \
    AFTERWORD_PORT=3000

# By number: a cluster that demands runAsNonRoot can't look up names.
USER 10001:10001
WORKDIR /data
VOLUME /data
EXPOSE 3000

HEALTHCHECK --interval=30s --timeout=5s --start-period=20s --retries=3 \
  CMD ["python3", "-c", "import os, urllib.request as r; r.urlopen('http://127.0.0.1:' + os.environ['AFTERWORD_PORT'] + '/healthz', timeout=4)"]

ENTRYPOINT ["afterword"]
CMD ["run"]
