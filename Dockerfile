# The worker of docker-compose.yml. Kubernetes and Temporal are reached over the network; nothing else is needed inside.
FROM node:22-bookworm-slim
WORKDIR /drydock
COPY package.json package-lock.json ./
RUN npm ci --no-fund --no-audit --loglevel=error && touch node_modules/.drydock-installed
COPY . .
RUN sh scripts/build.sh
ENTRYPOINT ["/drydock/drydock"]
