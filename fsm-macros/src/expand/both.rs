use proc_macro2::TokenStream;

use super::handler_call::HandlerCall;
use super::read::{self, WayOut};
use crate::model::{self, Active, OtherRead};

/// `Drive::resume_other`, if some state reads the other socket beside another wait.
pub(super) fn resume_other(machine: &model::Machine) -> Option<TokenStream> {
    let interface = &machine.interface;
    let (partial, types, context) = (interface.partial(), interface.cx_types(), interface.cx());
    let arms: Vec<TokenStream> = machine
        .states
        .iter()
        .filter_map(|state| {
            let active = state.active()?;
            Some(arm(machine, state, active, active.other.as_ref()?))
        })
        .collect();
    (!arms.is_empty()).then(|| {
        generated! {
            fn resume_other(
                &mut self,
                handler: &mut __H,
                input: &mut __rt::Input<'_, #partial>,
                cx: &mut __rt::#context<'_, #types>,
            ) -> __Step {
                match self {
                    #(#arms)*
                    _ => __Step::Waiting(__WaitSet::READ_OTHER),
                }
            }
        }
    })
}

/// The arm for a state.
fn arm(
    machine: &model::Machine,
    state: &model::State,
    active: &Active,
    other: &OtherRead,
) -> TokenStream {
    let is_relay = matches!(active.wait, model::Wait::Relay(_));
    let way_out = WayOut {
        leave: is_relay.then(|| generated!(cx.leave_other();)),
        step: if machine.has_detours { "Diverted" } else { "Moved" },
    };
    let waiting = generated!(return __Step::Waiting(__WaitSet::READ_OTHER),);
    let read = read::read(machine, state, &other.read, &waiting, &way_out);
    let call = HandlerCall::other(machine, state, active, other).expand();
    let all = state.all();
    generated! {
        #all => {
            #read
            #call
        }
    }
}
