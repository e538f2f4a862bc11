//! `TaskService`.

use std::sync::Arc;

use baton_core::{ArchivedTask, Revision, State, Task, TaskChange, TaskEntry, TaskHistory, TaskId};
use baton_log::ArchiveReader;
use baton_proto::v1::{self, task_service_server::TaskService};
use tonic::{Extensions, Request, Response, Status};

use super::{
    Api,
    api::concerns,
    batch,
    from_wire::{self, Check},
    page::Page,
    refusal, to_wire,
};
use crate::{
    engine::{Namespace, archived},
    own_body::{Frame, OwnBody},
};

type Answer<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl TaskService for Api {
    async fn create_task(&self, request: Request<v1::CreateTaskRequest>) -> Answer<v1::CreateTaskResponse> {
        let (_, extensions, request) = request.into_parts();
        let asked = from_wire::create_task(request, Check::new(), self.now_us())?;
        let (namespace, task) = self.commit_task(&extensions, asked).await?;
        Ok(OwnBody::message(to_wire::task_answer(&namespace, &task)))
    }

    async fn batch_create_tasks(
        &self,
        request: Request<v1::BatchCreateTasksRequest>,
    ) -> Answer<v1::BatchCreateTasksResponse> {
        let (_, extensions, request) = request.into_parts();
        Ok(OwnBody::message(batch::create_tasks(self, &extensions, request).await?))
    }

    async fn get_task(&self, request: Request<v1::GetTaskRequest>) -> Answer<v1::GetTaskResponse> {
        let (_, extensions, request) = request.into_parts();
        Ok(OwnBody::message(self.answer_get_task(&extensions, &request).await?))
    }

    async fn list_tasks(&self, request: Request<v1::ListTasksRequest>) -> Answer<v1::ListTasksResponse> {
        let (_, extensions, request) = request.into_parts();
        let query = from_wire::list_tasks(&request)?;
        let status = request.status.to_string();
        let listing = self.listing(&["ListTasks", &query.namespace, &request.assigned_agent, &status]);
        let last = listing.last(&request.page_token)?;
        concerns(&extensions, &query.namespace, "");
        let (namespace, page_size) = (Arc::clone(&query.namespace), query.page_size);
        let (start, query) = (last.clone().map(TaskId::from), Arc::new(query));
        let look = move |task: Arc<Task>| {
            let wanted = query.owner.as_deref().is_none_or(|owner| owner == task.owner.as_str())
                && query.status.is_none_or(|status| status == task.status);
            let (size, place) = (task_bytes(&task), task.id.to_string());
            (wanted.then_some(task), size, place)
        };
        let of_state = |state: &State| Page::of(state.tasks_after(last.as_deref()), page_size, &look);
        let next = |namespace: &Namespace, archive: &dyn ArchiveReader, after: Option<&TaskId>, count| {
            archived::tasks_after(namespace, archive, after.map(TaskId::as_str), count)
        };
        let page = self.page(&namespace, page_size, start, of_state, next, look.clone()).await?;
        Ok(Response::new(v1::ListTasksResponse {
            tasks: page.items.iter().map(|task| to_wire::task(&namespace, task)).collect(),
            next_page_token: page.more_after.map(|last| listing.token(&last)).unwrap_or_default(),
        }))
    }

    async fn update_task(&self, request: Request<v1::UpdateTaskRequest>) -> Answer<v1::UpdateTaskResponse> {
        let (_, extensions, request) = request.into_parts();
        let asked = from_wire::update_task(request, self.now_us())?;
        let (namespace, task) = self.commit_task(&extensions, asked).await?;
        Ok(OwnBody::message(to_wire::task_answer(&namespace, &task)))
    }

    async fn complete_task(
        &self,
        request: Request<v1::CompleteTaskRequest>,
    ) -> Answer<v1::CompleteTaskResponse> {
        let (_, extensions, request) = request.into_parts();
        let asked = from_wire::complete_task(request, self.now_us())?;
        let (namespace, task) = self.commit_task(&extensions, asked).await?;
        Ok(OwnBody::message(to_wire::task_answer(&namespace, &task)))
    }

    async fn fail_task(&self, request: Request<v1::FailTaskRequest>) -> Answer<v1::FailTaskResponse> {
        let (_, extensions, request) = request.into_parts();
        let asked = from_wire::fail_task(request, self.now_us())?;
        let (namespace, task) = self.commit_task(&extensions, asked).await?;
        Ok(OwnBody::message(to_wire::task_answer(&namespace, &task)))
    }

    async fn cancel_task(&self, request: Request<v1::CancelTaskRequest>) -> Answer<v1::CancelTaskResponse> {
        let (_, extensions, request) = request.into_parts();
        let asked = from_wire::cancel_task(request, self.now_us())?;
        let (namespace, task) = self.commit_task(&extensions, asked).await?;
        Ok(OwnBody::message(to_wire::task_answer(&namespace, &task)))
    }

    async fn get_task_history(
        &self,
        request: Request<v1::GetTaskHistoryRequest>,
    ) -> Answer<v1::GetTaskHistoryResponse> {
        let (_, extensions, request) = request.into_parts();
        let mut check = Check::new();
        let namespace = check.namespace(&request.namespace);
        check.id("task_id", &request.task_id);
        let page_size = check.page_size(request.page_size);
        check.finish(())?;
        let listing = self.listing(&["GetTaskHistory", &namespace, &request.task_id]);
        let last = listing.last_number(&request.page_token)?.unwrap_or(0);
        let page_of = |history: TaskHistory<'_>| {
            let page = Page::of(history.after(Revision(last)), page_size, |entry| {
                let (size, place) = (entry_bytes(&entry), entry.revision.to_string());
                (Some(entry), size, place)
            });
            (page, history.dropped())
        };
        let present = |state: &State| state.task_history(&request.task_id).map(page_of);
        let archived = |archived: ArchivedTask| archived.read_history(page_of);
        let found = self.read_task(&extensions, &namespace, &request.task_id, present, archived).await?;
        let (page, dropped_count) = found.ok_or_else(|| refusal::task_not_found(&request.task_id))?;
        Ok(Response::new(v1::GetTaskHistoryResponse {
            entries: page.items.iter().map(to_wire::task_entry).collect(),
            next_page_token: page.more_after.map(|last| listing.token(&last)).unwrap_or_default(),
            dropped_count,
        }))
    }
}

impl Api {
    /// The answer to `GetTask`.
    pub(super) async fn answer_get_task(
        &self,
        extensions: &Extensions,
        request: &v1::GetTaskRequest,
    ) -> Result<Frame, Status> {
        let (namespace, task_id) = from_wire::one(&request.namespace, "task_id", &request.task_id)?;
        let archived = |archived: ArchivedTask| Arc::new(archived.task());
        let task =
            self.read_task(extensions, &namespace, &task_id, |state| state.task(&task_id), archived).await?;
        let task = task.ok_or_else(|| refusal::task_not_found(&task_id))?;
        Ok(to_wire::task_answer(&namespace, &task))
    }
}

fn task_bytes(task: &Task) -> usize {
    let metadata = usize::try_from(task.metadata_bytes).unwrap_or(usize::MAX);
    metadata.saturating_add(task.description.len() + task.outcome.len() + 256)
}

fn entry_bytes(entry: &TaskEntry) -> usize {
    match &entry.what {
        TaskChange::Handoff(handoff) => {
            let errors: usize = handoff.verdict.errors.iter().map(|error| error.message.len()).sum();
            errors + handoff.reason.len() + handoff.error.len() + 512
        }
        _ => 512,
    }
}
