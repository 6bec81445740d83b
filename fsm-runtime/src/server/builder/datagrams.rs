use std::sync::Arc;

use super::Builder;
use super::listen::Listen;
use crate::net::datagram::ClientSettings;
use crate::server::layer::Carries;
use crate::spec::Features;
use crate::{Address, Machine, PoolError, Target, Transport};

impl<M: Machine, L: Transport> Builder<M, L> {
    /// The same settings with something else between the connections and their sockets.
    pub(super) fn over<N: Transport>(self, layer: N::Settings) -> Builder<M, N> {
        Builder {
            layer,
            name: self.name,
            listen: self.listen,
            backlog: self.backlog,
            reuse_port: self.reuse_port,
            shards: self.shards,
            threads: self.threads,
            max_running: self.max_running,
            watchdog: self.watchdog,
            limit: self.limit,
            shed_at_rest: self.shed_at_rest,
            farewell: self.farewell,
            journeys: self.journeys,
            max_jobs: self.max_jobs,
            connect: self.connect,
            output_mark: self.output_mark,
            environment: self.environment,
            show: self.show,
            drain_within: self.drain_within,
            send_timeout: self.send_timeout,
            linger: self.linger,
            drain_grace: self.drain_grace,
            state: self.state,
            has_handle: self.has_handle,
            ranges: self.ranges,
            seed: self.seed,
            machine: self.machine,
        }
    }

    /// Refuses an address whose input the machine cannot read (D4).
    pub(super) fn check_address(&self, address: &Address) -> Result<(), PoolError> {
        let machine = M::SPEC.name;
        match (M::SPEC.uses(Features::DATAGRAMS), address) {
            (true, Address::Udp(_)) => Ok(()),
            (true, _) => Err(self.unfit(format!(
                "it listens on `{address}`, and `{machine}` reads datagrams; listen on `udp:ADDRESS:PORT`"
            ))),
            (false, Address::Udp(_)) => Err(self.unfit(format!(
                "it listens on `{address}`, and `{machine}` reads a stream; leave out `udp:`, or read with \
                 `#[read(datagram, ..)]`"
            ))),
            (false, _) => Ok(()),
        }
    }

    /// Refuses what a pool of a machine that reads datagrams cannot do (D4).
    pub(super) fn check_datagrams(&self, carries: Carries) -> Result<(), PoolError> {
        let machine = M::SPEC.name;
        match carries {
            Carries::Nothing => {}
            #[cfg(feature = "tls")]
            Carries::Tls => {
                return Err(self.unfit(format!(
                    "it has `tls(..)`, and `{machine}` reads datagrams, which TLS cannot encrypt; leave it out"
                )));
            }
            Carries::Layer(..) => {
                return Err(self.unfit(format!(
                    "it has `layer(..)`, and `{machine}` reads datagrams, and no stream; leave it out"
                )));
            }
        }
        if self.shed_at_rest {
            return Err(self.unfit(format!(
                "it has `shed_at_rest()`, and `{machine}` reads datagrams, whose peers do not wait for a place; \
                 leave it out"
            )));
        }
        if self.farewell.is_some() {
            return Err(self.unfit(format!(
                "it has `turn_away(..)`, and `{machine}` reads datagrams, whose peers have no connection; leave it \
                 out"
            )));
        }
        if self.connects() && !self.listen.is_empty() {
            return Err(self.unfit(format!(
                "it listens and connects, and `{machine}` reads datagrams; make two pools of it"
            )));
        }
        if self.listen.iter().any(|listens| matches!(listens.on, Listen::Socket(_))) {
            return Err(self.unfit(format!(
                "it has a listener, and `{machine}` reads datagrams; listen on `udp:ADDRESS:PORT`"
            )));
        }
        Ok(())
    }

    /// Refuses a target that the machine cannot talk to (D4).
    pub(super) fn check_target(&self, target: &Target) -> Result<(), PoolError> {
        let machine = M::SPEC.name;
        match (M::SPEC.uses(Features::DATAGRAMS), target.takes_datagrams()) {
            (true, false) => Err(self.unfit(format!(
                "it connects to `{target}`, and `{machine}` reads datagrams; connect to `udp:HOST:PORT`"
            ))),
            (false, true) => Err(self.unfit(format!(
                "it connects to `{target}`, and `{machine}` reads a stream; leave out `udp:`, or read with \
                 `#[read(datagram, ..)]`"
            ))),
            _ => Ok(()),
        }
    }

    /// The settings of the sockets of datagrams that the pool opens.
    pub(super) fn datagram_clients(&self) -> ClientSettings {
        ClientSettings {
            max: M::SPEC.largest_datagram(),
            most: self.output_mark,
            counters: Arc::clone(&self.state.counters),
        }
    }

    fn unfit(&self, why: String) -> PoolError {
        PoolError::Datagrams { pool: self.name.clone(), why }
    }
}
