// Creates a task and hands it to another agent, with types for every field. Usage: npm start [TASK_ID]
//
// Against the server at BATON_ADDR (http://127.0.0.1:7420 if unset), in the namespace `default`. States, refusals and watches that resume are
// in ../node, in plain JavaScript.

import { randomUUID } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import grpc from '@grpc/grpc-js';
import protoLoader from '@grpc/proto-loader';
import type { HandOffRequest } from './generated/baton/v1/HandOffRequest.js';
import type { HandOffResponse__Output } from './generated/baton/v1/HandOffResponse.js';
import type { HandoffServiceClient } from './generated/baton/v1/HandoffService.js';
import type { TaskServiceClient } from './generated/baton/v1/TaskService.js';
import type { ProtoGrpcType } from './generated/handoff_service.js';
import type { ProtoGrpcType as TaskTypes } from './generated/task_service.js';

const PROTO_DIR = process.env.BATON_PROTO ?? fileURLToPath(new URL('../../../proto', import.meta.url));
const ADDRESS = (process.env.BATON_ADDR ?? 'http://127.0.0.1:7420').replace(/^http:\/\//, '');

const definition = protoLoader.loadSync(
  readdirSync(`${PROTO_DIR}/baton/v1`).map((file) => `baton/v1/${file}`),
  { includeDirs: [PROTO_DIR], keepCase: true, longs: Number, enums: String, defaults: true },
);
const { baton } = grpc.loadPackageDefinition(definition) as unknown as ProtoGrpcType & TaskTypes;
const credentials = grpc.credentials.createInsecure();
const tasks: TaskServiceClient = new baton.v1.TaskService(ADDRESS, credentials);
const handoffs: HandoffServiceClient = new baton.v1.HandoffService(ADDRESS, credentials);

const taskId = process.argv[2] ?? `ticket-${randomUUID().slice(0, 8)}`;
await createTask(taskId);
const done = await handOff({
  request_id: `hand off ${taskId}`,
  task_id: taskId,
  from_agent: 'triage',
  to_agent: 'billing',
  reason: 'a refund is needed',
  owner_epoch: 1,
  context: { summary: 'Two charges, one order', remaining: ['refund the second charge'] },
});
console.log(`${taskId} belongs to ${done.task?.assigned_agent} at epoch ${done.task?.owner_epoch}`);
tasks.close();
handoffs.close();

function createTask(task_id: string): Promise<void> {
  const request = { request_id: `create ${task_id}`, task_id, assigned_agent: 'triage' };
  return new Promise((resolve, reject) => {
    tasks.CreateTask(request, (error) => (error ? reject(error) : resolve()));
  });
}

function handOff(request: HandOffRequest): Promise<HandOffResponse__Output> {
  return new Promise((resolve, reject) => {
    handoffs.HandOff(request, (error, response) => (error ? reject(error) : resolve(response!)));
  });
}
