//! How many backups and restores run at once (`backup_max_operations`), and who is next: projects take turns, so that one which
//! asks for a hundred does not hold up another that asks for one.
//!
//! An operation asks for a [`Place`] after it was recorded and before it moves a byte; it has it until it ends. Within a project
//! the first to ask is the first to run. Cost: a lock and a channel for each that waits.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

/// Decides who runs.
#[derive(Debug)]
pub(crate) struct Admission {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    free: Option<usize>,
    waiting: HashMap<String, VecDeque<oneshot::Sender<Place>>>,
    /// Projects that wait, the one that is next first.
    turns: VecDeque<String>,
}

/// The right to run, until it is dropped.
#[derive(Debug)]
pub(crate) struct Place(Option<Arc<Admission>>);

impl Admission {
    /// So many run at once; 0: all.
    pub(crate) fn new(most: usize) -> Arc<Self> {
        Arc::new(Admission {
            state: Mutex::new(State {
                free: (most > 0).then_some(most),
                ..State::default()
            }),
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until it is this project's turn.
    pub(crate) async fn enter(self: &Arc<Self>, project: &str) -> Place {
        let turn = {
            let mut state = self.state();
            match &mut state.free {
                None => return Place(None),
                Some(0) => {}
                Some(free) => {
                    *free -= 1;
                    return Place(Some(self.clone()));
                }
            }
            let (sender, receiver) = oneshot::channel();
            let queue = state.waiting.entry(project.to_owned()).or_default();
            queue.push_back(sender);
            if queue.len() == 1 {
                state.turns.push_back(project.to_owned());
            }
            receiver
        };
        // The sender is dropped only with the whole service.
        turn.await.unwrap_or(Place(None))
    }

    /// Those that wait.
    pub(crate) fn waiting(&self) -> usize {
        self.state().waiting.values().map(VecDeque::len).sum()
    }

    /// A place is free: it goes to the next project, or stays free.
    fn leave(self: Arc<Self>) {
        loop {
            let next = {
                let mut state = self.state();
                let Some(project) = state.turns.pop_front() else {
                    if let Some(free) = &mut state.free {
                        *free += 1;
                    }
                    return;
                };
                let queue = state.waiting.get_mut(&project);
                let next = queue.and_then(VecDeque::pop_front);
                if state.waiting.get(&project).is_some_and(|queue| !queue.is_empty()) {
                    state.turns.push_back(project);
                } else {
                    state.waiting.remove(&project);
                }
                next
            };
            match next.map(|next| next.send(Place(Some(self.clone())))) {
                Some(Ok(())) => return,
                // Whoever asked waits no longer. The place that came back is this one: it must not leave again.
                Some(Err(mut place)) => drop(place.0.take()),
                None => {}
            }
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(admission) = self.0.take() {
            admission.leave();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn no_more_run_than_may_and_projects_take_turns() {
        let admission = Admission::new(1);
        let first = admission.enter("a").await;
        let order = Arc::new(Mutex::new(Vec::new()));
        let mut tasks = Vec::new();
        for (number, project) in ["a", "a", "a", "b", "c", "b"].into_iter().enumerate() {
            let (admission, order) = (admission.clone(), order.clone());
            tasks.push(tokio::spawn(async move {
                let _place = admission.enter(project).await;
                order.lock().unwrap().push((project, number));
            }));
            tokio::task::yield_now().await;
        }
        assert_eq!(admission.waiting(), 6);
        drop(first);
        for task in tasks {
            task.await.unwrap();
        }
        let order = order.lock().unwrap().clone();
        assert_eq!(
            order,
            [("a", 0), ("b", 3), ("c", 4), ("a", 1), ("b", 5), ("a", 2)]
        );
        assert_eq!(admission.waiting(), 0);
    }

    #[tokio::test]
    async fn one_that_gave_up_waiting_costs_no_place() {
        let admission = Admission::new(1);
        let first = admission.enter("a").await;
        let mut gone = Box::pin(admission.enter("b"));
        assert!(futures::poll!(gone.as_mut()).is_pending());
        drop(gone);
        let mut waits = Box::pin(admission.enter("c"));
        assert!(futures::poll!(waits.as_mut()).is_pending());
        drop(first);
        let second = waits.await;
        let mut third = Box::pin(admission.enter("a"));
        assert!(futures::poll!(third.as_mut()).is_pending());
        drop(second);
        let third = third.await;
        drop(third);
        let _again = admission.enter("a").await;
    }

    #[tokio::test]
    async fn no_limit_is_none() {
        let admission = Admission::new(0);
        let mut all = Vec::new();
        for _ in 0..100 {
            all.push(admission.enter("a").await);
        }
        assert_eq!(all.len(), 100);
    }
}
