// Creates a task, keeps state, hands both to another agent, and reads a refusal.
//
// Against the server at BATON_ADDR (http://127.0.0.1:7420 if unset), in the namespace `default`. Usage: go run . [TASK_ID]
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"strings"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"

	batonv1 "example.com/hand-off/gen/baton/v1"
)

// Every mutation carries a request id, so a call that the server could not answer is safe to send again.
const serviceConfig = `{"methodConfig": [{
  "name": [{"service": "baton.v1.TaskService"}, {"service": "baton.v1.StateService"}, {"service": "baton.v1.HandoffService"}],
  "retryPolicy": {"maxAttempts": 5, "initialBackoff": "0.1s", "maxBackoff": "2s", "backoffMultiplier": 2,
                  "retryableStatusCodes": ["UNAVAILABLE"]}
}]}`

func main() {
	taskID := fmt.Sprintf("ticket-%d", time.Now().UnixNano())
	if len(os.Args) > 1 {
		taskID = os.Args[1]
	}
	connection, err := grpc.NewClient(address(),
		grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithDefaultServiceConfig(serviceConfig))
	if err != nil {
		log.Fatal(err)
	}
	defer connection.Close()

	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := handOver(ctx, connection, taskID); err != nil {
		log.Fatal(err)
	}
	actTooLate(ctx, connection, taskID)
}

func address() string {
	if address, set := os.LookupEnv("BATON_ADDR"); set {
		return strings.TrimPrefix(address, "http://")
	}
	return "127.0.0.1:7420"
}

// handOver lets the agent triage look at a ticket and hand it to billing with what it has found out.
func handOver(ctx context.Context, connection *grpc.ClientConn, taskID string) error {
	_, err := batonv1.NewTaskServiceClient(connection).CreateTask(ctx, &batonv1.CreateTaskRequest{
		RequestId:     "create " + taskID,
		TaskId:        taskID,
		Description:   "Charged twice in May",
		AssignedAgent: "triage",
	})
	if err != nil {
		return err
	}
	state, err := structpb.NewStruct(map[string]any{"customer": "ACME", "mood": "cross"})
	if err != nil {
		return err
	}
	_, err = batonv1.NewStateServiceClient(connection).UpdateAgentState(ctx, &batonv1.UpdateAgentStateRequest{
		RequestId: "note " + taskID, AgentId: "triage", State: state,
	})
	if err != nil {
		return err
	}
	done, err := batonv1.NewHandoffServiceClient(connection).HandOff(ctx, &batonv1.HandOffRequest{
		RequestId:  "hand off " + taskID,
		TaskId:     taskID,
		FromAgent:  "triage",
		ToAgent:    "billing",
		Reason:     "a refund is needed",
		OwnerEpoch: proto.Uint64(1),
		Context: &batonv1.HandoffContext{
			Summary:   "Two charges, one order",
			Remaining: []string{"refund the second charge"},
		},
	})
	if err != nil {
		return err
	}
	fmt.Printf("%s belongs to %s at epoch %d\n", taskID, done.Task.AssignedAgent, done.Task.OwnerEpoch)
	return nil
}

// actTooLate shows triage that has not noticed that the task is no longer its own. Its epoch gives it away.
func actTooLate(ctx context.Context, connection *grpc.ClientConn, taskID string) {
	_, err := batonv1.NewTaskServiceClient(connection).UpdateTask(ctx, &batonv1.UpdateTaskRequest{
		TaskId: taskID, OwnerEpoch: proto.Uint64(1), Progress: &batonv1.TaskProgress{Percent: 50},
	})
	for _, detail := range status.Convert(err).Details() {
		if info, ok := detail.(*errdetails.ErrorInfo); ok {
			owner, epoch := info.Metadata["owner"], info.Metadata["owner_epoch"]
			fmt.Printf("refused: %s, the owner is %s at epoch %s\n", info.Reason, owner, epoch)
		}
	}
}
