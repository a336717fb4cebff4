# One image for every process of docker-compose.yml. See docs/operations.md.

FROM python:3.11-slim-bookworm AS build
# pip's own variable: give the address of PyTorch's CPU wheels to save several gigabytes.
ARG PIP_EXTRA_INDEX_URL=""
ENV PATH=/opt/venv/bin:$PATH PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 DO_NOT_TRACK=1
WORKDIR /app
RUN python -m venv /opt/venv
COPY constraints.txt ./
RUN pip install --constraint constraints.txt torch
COPY pyproject.toml README.md ./
COPY alexandria alexandria
COPY assets assets
COPY pipelines pipelines
COPY serving serving
RUN pip install --constraint constraints.txt --editable .
RUN alexandria models export
COPY dbt dbt
RUN dbt --quiet parse --project-dir dbt --profiles-dir dbt
COPY deploy deploy

FROM python:3.11-slim-bookworm
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 \
    ALEXANDRIA_HOME=/var/lib/alexandria DAGSTER_HOME=/var/lib/alexandria/dagster
RUN useradd --uid 10001 --create-home alexandria \
    && install --directory --owner alexandria --group alexandria /var/lib/alexandria
COPY --from=build /opt/venv /opt/venv
COPY --from=build /app /app
WORKDIR /app
USER alexandria
VOLUME /var/lib/alexandria
EXPOSE 3000 8000
CMD ["alexandria", "--help"]
