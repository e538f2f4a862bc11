// Promises about the server and its log.

import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import grpc from '@grpc/grpc-js';
import protoLoader from '@grpc/proto-loader';
import { MESSAGE_OPTIONS, hostAndPort, withPromises } from '../../../examples/node/baton_v1.mjs';
import { equal, holds, promise } from '../promise.mjs';
import { collect } from '../run.mjs';

const SERVICES = ['TaskService', 'StateService', 'HandoffService', 'ValidationService', 'MonitorService'];

/** The client of a service whose proto file comes with an npm package. */
function clientOf(npmPackage, file, service) {
  const folder = dirname(createRequire(import.meta.url).resolve(`${npmPackage}/package.json`));
  const loaded = grpc.loadPackageDefinition(protoLoader.loadSync(join(folder, file), MESSAGE_OPTIONS));
  const Client = service.split('.').reduce((scope, name) => scope[name], loaded);
  return withPromises(new Client(hostAndPort(), grpc.credentials.createInsecure()));
}

/** One question to the reflection service. */
async function reflect(question) {
  const file = 'build/proto/grpc/reflection/v1/reflection.proto';
  const reflection = clientOf('@grpc/reflection', file, 'grpc.reflection.v1.ServerReflection');
  const stream = reflection.ServerReflectionInfo();
  stream.end(question);
  const [answer] = await collect(stream);
  return answer;
}

const healthy = promise('the server is healthy and lists its services', async () => {
  const health = clientOf('grpc-health-check', 'proto/health/v1/health.proto', 'grpc.health.v1.Health');
  equal('health of the whole server', (await health.Check({ service: '' })).status, 'SERVING');

  const answer = await reflect({ list_services: '*' });
  const listed = answer.list_services_response.service.map(({ name }) => name);
  const missing = SERVICES.map((name) => `baton.v1.${name}`).filter((name) => !listed.includes(name));
  equal('services that reflection does not list', missing, []);
  const symbol = await reflect({ file_containing_symbol: 'baton.v1.HandoffService' });
  holds('the file of HandoffService comes', symbol.file_descriptor_response?.file_descriptor_proto.length, symbol);
});

/** The log verifies up to its newest revision. */
export const verifies = promise('the log verifies up to its newest revision', async (run) => {
  const head = await run.head();
  const last = (await collect(run.baton.monitor.VerifyLog(run.request()))).at(-1);
  const came = [last.namespace, last.verified_revision, last.done];
  equal('namespace, verified revision, done', came, [run.namespace, head, true]);
  holds('the hash is BLAKE3 in hex', last.hash.length === 64, last.hash);
});

export const FIRST = [healthy];
export const LAST = [verifies];
