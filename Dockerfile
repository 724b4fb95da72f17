# One image for the API, the worker and the `lode` command. The Node version is that of the package `node` in package.json (a test compares them).
FROM node:24.21.0-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json nest-cli.json tsconfig.json .swcrc api.ts gateway.ts worker.ts ./
COPY scripts ./scripts
COPY src ./src
COPY temporal ./temporal
# Its `prepare` step builds dist/.
RUN npm ci --no-audit --no-fund

FROM node:24.21.0-bookworm-slim AS dependencies
# true: keeps what LODE_EMBEDDING_PROVIDER=local needs, some 480 MB.
ARG LOCAL_MODELS=false
WORKDIR /app
COPY package.json package-lock.json ./
# The image has its own Node, and runs on one platform: the package `node` stays an empty shell without its install script, and the Temporal
# SDK's libraries of other platforms go.
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund \
    && find node_modules/@temporalio/core-bridge/releases -mindepth 1 -maxdepth 1 ! -name "$(uname -m)-unknown-linux-gnu" -exec rm -rf {} + \
    && if [ "$LOCAL_MODELS" != true ]; then rm -rf node_modules/@huggingface node_modules/onnxruntime-* node_modules/sharp node_modules/@img; fi

FROM node:24.21.0-bookworm-slim
# Sources are read with git.
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates git openssh-client \
    && rm -rf /var/lib/apt/lists/* \
    && mkdir -p /var/lib/lode \
    && chown node:node /var/lib/lode \
    && printf '#!/bin/sh\nexec node /app/dist/src/cli/main.js "$@"\n' > /usr/local/bin/lode \
    && chmod 755 /usr/local/bin/lode
WORKDIR /app
COPY --from=dependencies /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY package.json LICENSE ./
ENV NODE_ENV=production LODE_HOME=/var/lib/lode
USER node
VOLUME /var/lib/lode
EXPOSE 8480
# SIGTERM is handled: requests and activities that run are ended in order.
CMD ["node", "dist/api.js"]
