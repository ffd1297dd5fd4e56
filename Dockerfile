# The service in an image: built from the sources here, run without root.
#
#   docker build -t fhir-service .
#   docker run -p 8080:8080 -v fhir-service:/var/lib/fhir-service fhir-service
#
# PYTHON_IMAGE: any image with Python 3.11 or later and glibc.
ARG PYTHON_IMAGE=python:3.11-slim-bookworm

FROM ${PYTHON_IMAGE} AS build
WORKDIR /src
RUN python -m venv /opt/fhir-service
COPY constraints.txt pyproject.toml README.md LICENSE ./
COPY questionnaires questionnaires
COPY mappings mappings
COPY fhir_service fhir_service
RUN /opt/fhir-service/bin/pip install --no-cache-dir -c constraints.txt .

FROM ${PYTHON_IMAGE}
RUN useradd --system --uid 10001 --home-dir /var/lib/fhir-service --create-home fhir-service
COPY --from=build /opt/fhir-service /opt/fhir-service
ENV PATH=/opt/fhir-service/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    FHIR_SERVICE_DATA_DIR=/var/lib/fhir-service
USER 10001
WORKDIR /var/lib/fhir-service
VOLUME ["/var/lib/fhir-service"]
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8080/readyz', timeout=4)"]
ENTRYPOINT ["fhir-service"]
CMD ["serve", "--host", "0.0.0.0", "--port", "8080"]
