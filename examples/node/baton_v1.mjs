// Connects to a Baton server with clients made from proto/ at run time.
//
// Knows nothing of tasks or hand-offs. Field names are those of the proto files, enum values are their names, 64-bit numbers are numbers.

import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { readdirSync } from 'node:fs';
import grpc from '@grpc/grpc-js';
import protoLoader from '@grpc/proto-loader';

const PROTO_DIR = process.env.BATON_PROTO ?? fileURLToPath(new URL('../../proto', import.meta.url));

// Every mutation carries a request id, so a call that the server could not answer is safe to send again.
const SERVICE_CONFIG = {
  methodConfig: [
    {
      name: ['TaskService', 'StateService', 'HandoffService'].map((name) => ({ service: `baton.v1.${name}` })),
      retryPolicy: {
        maxAttempts: 5,
        initialBackoff: '0.1s',
        maxBackoff: '2s',
        backoffMultiplier: 2,
        retryableStatusCodes: ['UNAVAILABLE'],
      },
    },
  ],
};

/** How messages are shown to JavaScript, here and for every other proto file that is loaded beside these. */
export const MESSAGE_OPTIONS = { keepCase: true, longs: Number, enums: String, defaults: true, json: true };

const files = readdirSync(`${PROTO_DIR}/baton/v1`).filter((file) => file.endsWith('.proto'));
const definition = protoLoader.loadSync(
  files.map((file) => `baton/v1/${file}`),
  { ...MESSAGE_OPTIONS, includeDirs: [PROTO_DIR] },
);
const v1 = grpc.loadPackageDefinition(definition).baton.v1;

/** The host and port of the server: of `address`, as in `http://host:port` or `host:port`; by default of BATON_ADDR. */
export function hostAndPort(address = process.env.BATON_ADDR ?? 'http://127.0.0.1:7420') {
  return address.replace(/^http:\/\//, '');
}

/** The services of one server. Unary calls return promises, streams are async iterables. */
export function connect(address) {
  const options = {
    'grpc.service_config': JSON.stringify(SERVICE_CONFIG),
    'grpc.initial_reconnect_backoff_ms': 100,
    'grpc.max_reconnect_backoff_ms': 5000,
    // A server that is gone without a word is noticed within these times, also by a watch on which nothing happens.
    'grpc.keepalive_time_ms': 10_000,
    'grpc.keepalive_timeout_ms': 5_000,
  };
  const channel = new grpc.Channel(hostAndPort(address), grpc.credentials.createInsecure(), options);
  const service = (Client) => withPromises(new Client('unused', undefined, { channelOverride: channel }));
  return {
    tasks: service(v1.TaskService),
    states: service(v1.StateService),
    handoffs: service(v1.HandoffService),
    rules: service(v1.ValidationService),
    monitor: service(v1.MonitorService),
    close: () => channel.close(),
  };
}

/** The rpcs of a client by their names: promises for unary ones, streams as they are. */
export function withPromises(client) {
  const rpcs = {};
  for (const method of Object.values(client.constructor.service)) {
    const name = method.path.split('/').at(-1);
    const call = client[name].bind(client);
    rpcs[name] = method.responseStream || method.requestStream ? call : promisify(call);
  }
  return rpcs;
}
