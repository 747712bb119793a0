# An image in which the two commands work: docker build -t mfverify . && docker run --rm -it mfverify make report
FROM python:3.11-slim
RUN apt-get update && apt-get install --yes --no-install-recommends git make && rm -rf /var/lib/apt/lists/*
RUN useradd --create-home reader && install -d -o reader /srv/mfverify
USER reader
WORKDIR /srv/mfverify
COPY --chown=reader . .
CMD ["make", "report"]
