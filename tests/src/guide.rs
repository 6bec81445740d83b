//! The code of the guide, which is compiled and run with the tests: an item for each chapter, so that a
//! failure names its chapter.

#[doc = include_str!("../../docs/guide/first-server.md")]
struct FirstServer;

#[doc = include_str!("../../docs/guide/framing.md")]
struct Framing;

#[doc = include_str!("../../docs/guide/deadlines.md")]
struct Deadlines;

#[doc = include_str!("../../docs/guide/pools.md")]
struct Pools;

#[doc = include_str!("../../docs/guide/clients.md")]
struct Clients;

#[doc = include_str!("../../docs/guide/tls.md")]
struct Tls;

#[doc = include_str!("../../docs/guide/testing.md")]
struct Testing;

#[doc = include_str!("../../docs/guide/operating.md")]
struct Operating;

#[doc = include_str!("../../docs/guide/embedding.md")]
struct Embedding;

#[doc = include_str!("../../docs/guide/upgrade.md")]
struct Upgrade;
