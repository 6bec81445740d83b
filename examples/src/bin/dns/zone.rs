//! The records of a zone, by their names.

use std::collections::HashMap;

use bytes::{BufMut, Bytes, BytesMut};
use domain::base::iana::Class;
use domain::base::name::FlattenInto;
use domain::base::{RecordData, Rtype};
use domain::rdata::ZoneRecordData;
use domain::zonefile::inplace::{Entry, Zonefile};

use crate::names::{Domain, Labels};

/// The data of a record.
pub(crate) type Data = ZoneRecordData<Bytes, Domain>;

/// The records of a name that have the same type.
#[derive(Debug)]
pub(crate) struct RecordSet {
    pub(crate) rtype: Rtype,
    pub(crate) ttl: domain::base::Ttl,
    pub(crate) data: Vec<Data>,
}

/// The records of a name. A name without any is there because others are below it.
#[derive(Debug, Default)]
pub(crate) struct Node {
    pub(crate) sets: Vec<RecordSet>,
}

impl Node {
    pub(crate) fn set(&self, rtype: Rtype) -> Option<&RecordSet> {
        self.sets.iter().find(|set| set.rtype == rtype)
    }
}

/// The host that a record names.
pub(crate) fn host(data: &Data) -> Option<&Domain> {
    Some(match data {
        ZoneRecordData::Cname(alias) => alias.cname(),
        ZoneRecordData::Mx(mail) => mail.exchange(),
        ZoneRecordData::Ns(server) => server.nsdname(),
        ZoneRecordData::Ptr(pointer) => pointer.ptrdname(),
        ZoneRecordData::Srv(service) => service.target(),
        _ => return None,
    })
}

/// A zone, whose names are in lower case.
#[derive(Debug)]
pub(crate) struct Zone {
    pub(crate) apex: Vec<u8>,
    pub(crate) nodes: HashMap<Vec<u8>, Node>,
}

impl Zone {
    /// Reads a zone file.
    pub(crate) fn parse(text: &[u8], origin: Option<Domain>) -> Result<Self, String> {
        let mut buffer = BytesMut::with_capacity(text.len() + 1).writer();
        std::io::Write::write_all(&mut buffer, text).map_err(|error| error.to_string())?;
        let mut file = Zonefile::new();
        file.extend_from_slice(&buffer.into_inner());
        if let Some(origin) = origin {
            file.set_origin(origin);
        }
        let mut records = Vec::new();
        while let Some(entry) = file.next_entry().map_err(|error| error.to_string())? {
            match entry {
                Entry::Record(record) if record.class() == Class::IN => {
                    let (ttl, owner) = (record.ttl(), Labels::new(record.owner()));
                    let data: Data = record.into_data().flatten_into();
                    // The library takes it for a label.
                    if host(&data).is_some_and(|host| host.first().as_slice() == b"@") {
                        return Err(
                            "write the name in place of `@` behind the type of a record".to_owned()
                        );
                    }
                    records.push((owner, ttl, data));
                }
                Entry::Record(record) => {
                    return Err(format!("a record of `{}` is not of class IN", record.owner()));
                }
                Entry::Include { path, .. } => {
                    return Err(format!("it includes `{path}`; put all records into one file"));
                }
            }
        }
        let mut apexes = records.iter().filter(|(_, _, data)| data.rtype() == Rtype::SOA);
        let (Some((apex, ..)), None) = (apexes.next(), apexes.next()) else {
            return Err("a zone has one SOA record".to_owned());
        };
        let mut zone = Self { apex: apex.lower.clone(), nodes: HashMap::new() };
        for (owner, ttl, data) in records {
            zone.add(&owner, ttl, data)?;
        }
        Ok(zone)
    }

    fn add(&mut self, owner: &Labels, ttl: domain::base::Ttl, data: Data) -> Result<(), String> {
        let within = owner.starts().any(|start| owner.lower[start..] == self.apex);
        if !within {
            let name = String::from_utf8_lossy(&owner.asked).into_owned();
            return Err(format!("the name {name:?} is outside of the zone"));
        }
        for start in owner.starts() {
            let above = &owner.lower[start..];
            if above.len() < self.apex.len() {
                break;
            }
            if !self.nodes.contains_key(above) {
                self.nodes.insert(above.to_vec(), Node::default());
            }
        }
        let Some(node) = self.nodes.get_mut(&owner.lower) else { return Ok(()) };
        let rtype = data.rtype();
        match node.sets.iter_mut().find(|set| set.rtype == rtype) {
            Some(set) if set.data.contains(&data) => {}
            Some(set) => {
                set.ttl = set.ttl.min(ttl);
                set.data.push(data);
            }
            None => node.sets.push(RecordSet { rtype, ttl, data: vec![data] }),
        }
        Ok(())
    }
}
