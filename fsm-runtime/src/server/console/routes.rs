use serde_json::{Value, json};

use super::request::{Method, Request};
use super::response::{Response, Status};
use super::shared::{ConsoleShared, WITHIN};
use super::{actions, json, metrics, query, rules, text};
use crate::{Filter, TaskSnapshot};

/// Answers a request; `None` if it asks for frames of text.
pub(super) fn answer(request: &Request, shared: &ConsoleShared) -> Option<Response> {
    let path: Vec<&str> = request.path.iter().map(String::as_str).collect();
    if let ["connections", _, "end"] | ["pools", _, "drain"] = path[..] {
        return Some(actions::answer(request, &path, shared));
    }
    let answer = match path[..] {
        [""] => Response::page(),
        ["connections"] => connections(request, shared),
        ["connections", key] => connection(key, request, shared),
        ["pools"] => Response::json(&json::pools(
            &shared.counts(),
            shared.upgrade().as_ref(),
            shared.guard.has_token(),
        )),
        ["threads"] => Response::json(&json::threads(&shared.observer.facts())),
        ["spec"] => Response::json(&json::specs(&shared.observer.facts())),
        ["metrics"] => {
            let upgrade = shared.upgrade();
            Response::metrics(metrics::print(&shared.counts(), upgrade.as_ref(), &shared.counters))
        }
        ["rules"] => Response::text(alert_rules(shared)),
        ["top"] => Response::text(String::new()),
        _ => return Some(Response::not_found()),
    };
    match request.method {
        Method::Get if path == ["top"] => None,
        Method::Get | Method::Head => Some(answer),
        _ => Some(Response::not_allowed("Allow: GET, HEAD")),
    }
}

/// The oldest connections of all pools together.
fn connections(request: &Request, shared: &ConsoleShared) -> Response {
    let choice = match request.query.choice() {
        Ok(choice) => choice,
        Err(why) => return Response::error(Status::BadRequest, &why),
    };
    if let Err(why) = is_known(request, shared) {
        return Response::error(Status::BadRequest, &why);
    }
    let pools = shared.observer.snapshot_of(&choice.filter, WITHIN).pools;
    let unanswered: Vec<Value> = pools
        .iter()
        .flat_map(|pool| {
            pool.unanswered().map(|port| json!({ "pool": &*pool.name, "port": port.number }))
        })
        .collect();
    let mut tasks: Vec<TaskSnapshot> = pools.into_iter().flat_map(|pool| pool.tasks).collect();
    if let Some(peer) = &choice.peer {
        let is_of = |task: &TaskSnapshot| {
            task.peer.is_some_and(|found| found.to_string().starts_with(&**peer))
        };
        tasks.retain(is_of);
    }
    // The oldest first, and those of unknown age last. The sort keeps the order of equal ones.
    tasks.sort_by_key(|task| std::cmp::Reverse(task.age.map(|age| age.time)));
    tasks.truncate(choice.limit);
    if request.wants_text {
        return Response::text(text::tasks(&tasks));
    }
    let tasks: Vec<Value> = tasks.iter().map(json::task).collect();
    Response::json(&json!({ "connections": tasks, "unanswered": unanswered }))
}

fn alert_rules(shared: &ConsoleShared) -> String {
    let pools = shared.observer.facts().pools;
    let has_callers = |name: &str| {
        let mut routes = pools.iter().flat_map(|pool| &pool.routes);
        routes.any(|route| *route.pool == *name)
    };
    rules::print(pools.iter().map(|pool| rules::PoolRules {
        name: &pool.name,
        spec: pool.spec,
        has_callers: has_callers(&pool.name),
    }))
}

/// Says which name of a pool or state is wrong.
fn is_known(request: &Request, shared: &ConsoleShared) -> Result<(), String> {
    let pools = shared.observer.facts().pools;
    let wanted = request.query.get("pool");
    let mut pools = pools.iter().filter(|pool| wanted.is_none_or(|name| *name == *pool.name));
    let mut meant = pools.by_ref().peekable();
    if meant.peek().is_none() {
        return Err(format!("no pool is called `{}`", wanted.unwrap_or_default()));
    }
    match request.query.get("state") {
        Some(name)
            if !meant.any(|pool| pool.spec.states.iter().any(|state| state.name == name)) =>
        {
            Err(format!("no state is called `{name}`"))
        }
        _ => Ok(()),
    }
}

fn connection(text: &str, request: &Request, shared: &ConsoleShared) -> Response {
    let Some(key) = query::key(text) else {
        return Response::error(Status::BadRequest, "a key looks like 5-17");
    };
    let filter = Filter::new().key(key).limit(1);
    let pools = shared.observer.snapshot_of(&filter, WITHIN).pools;
    let silent = pools.iter().any(|pool| pool.unanswered().next().is_some());
    let found = pools.iter().find_map(|pool| Some((pool.spec, pool.tasks.first()?)));
    match found {
        Some((spec, task)) if request.wants_text => {
            Response::text(text::tasks(std::slice::from_ref(task)) + &text::history(task, spec))
        }
        Some((spec, task)) => Response::json(&json::task_with_history(task, spec)),
        None if silent => Response::error(
            Status::Unavailable,
            "a port is in a handler and has not answered; ask again",
        ),
        None => Response::error(Status::Gone, "no connection has this key; it has ended"),
    }
}
