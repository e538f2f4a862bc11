// Reads why a call was refused: the details that every error of Baton carries.
//
// Knows the types of google.rpc, not those of baton.v1.

import { fileURLToPath } from 'node:url';
import grpc from '@grpc/grpc-js';
import protoLoader from '@grpc/proto-loader';
import { MESSAGE_OPTIONS } from './baton_v1.mjs';

const googleRpc = protoLoader.loadSync(fileURLToPath(new URL('google_rpc.proto', import.meta.url)), MESSAGE_OPTIONS);

/**
 * Returns the refusal in an error of a call: `code` as in `FAILED_PRECONDITION`, `message` for people, `reason` as in `STALE_OWNER` with the
 * values in `metadata`, and what is wrong by field in `fields` and by rule in `violations`.
 */
export function readRefusal(error) {
  const refusal = {
    code: grpc.status[error.code],
    message: error.details,
    reason: '',
    metadata: {},
    fields: {},
    violations: {},
  };
  for (const detail of detailsOf(error)) {
    switch (detail['@type']) {
      case 'type.googleapis.com/google.rpc.ErrorInfo':
        refusal.reason = detail.reason;
        refusal.metadata = detail.metadata;
        break;
      case 'type.googleapis.com/google.rpc.BadRequest':
        refusal.fields = byKey(detail.field_violations, 'field');
        break;
      case 'type.googleapis.com/google.rpc.PreconditionFailure':
        refusal.violations = byKey(detail.violations, 'type');
        break;
    }
  }
  return refusal;
}

function detailsOf(error) {
  const [encoded] = error.metadata?.get('grpc-status-details-bin') ?? [];
  return encoded ? googleRpc['google.rpc.Status'].deserialize(encoded).details : [];
}

function byKey(violations, key) {
  return Object.fromEntries(violations.map((violation) => [violation[key], violation.description]));
}
