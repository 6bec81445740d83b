//! A long protocol.

use fsm_runtime::prelude::*;
use fsm_runtime::sim::Session;

#[state_machine(start = S0, eof => Gone)]
enum Long {
    #[read(exact = 1, within = 60s => Gone)]
    #[to(S1)]
    S0,
    #[read(exact = 2, within = 60s => Gone)]
    #[to(S2)]
    S1,
    #[read(exact = 3, within = 60s => Gone)]
    #[to(S3)]
    S2,
    #[read(exact = 1, within = 60s => Gone)]
    #[to(S4)]
    S3,
    #[read(exact = 2, within = 60s => Gone)]
    #[to(S5)]
    S4,
    #[read(exact = 3, within = 60s => Gone)]
    #[to(S6)]
    S5,
    #[read(exact = 1, within = 60s => Gone)]
    #[to(S7)]
    S6,
    #[read(exact = 2, within = 60s => Gone)]
    #[to(S8)]
    S7,
    #[read(exact = 3, within = 60s => Gone)]
    #[to(S9)]
    S8,
    #[read(exact = 1, within = 60s => Gone)]
    #[to(S10)]
    S9,
    #[read(exact = 2, within = 60s => Gone)]
    #[to(S11)]
    S10,
    #[read(exact = 3, within = 60s => Gone)]
    #[to(S12)]
    S11,
    #[read(exact = 1, within = 60s => Gone)]
    #[to(S13)]
    S12,
    #[read(exact = 2, within = 60s => Gone)]
    #[to(S14)]
    S13,
    #[read(exact = 3, within = 60s => Gone)]
    #[to(S15)]
    S14,
    #[read(exact = 1, within = 60s => Gone)]
    #[to(S16)]
    S15,
    #[read(exact = 2, within = 60s => Gone)]
    #[to(S17)]
    S16,
    #[read(exact = 3, within = 60s => Gone)]
    #[to(S18)]
    S17,
    #[read(exact = 1, within = 60s => Gone)]
    #[to(S19)]
    S18,
    #[read(exact = 2, within = 60s => Gone)]
    #[to(S20)]
    S19,
    #[read(exact = 3, within = 60s => Gone)]
    #[to(S21)]
    S20,
    #[read(exact = 1, within = 60s => Gone)]
    #[to(S22)]
    S21,
    #[read(exact = 2, within = 60s => Gone)]
    #[to(S23)]
    S22,
    #[read(exact = 3, within = 60s => Gone)]
    #[to(S24)]
    S23,
    #[read(exact = 1, within = 60s => Gone)]
    #[to(S25)]
    S24,
    #[read(exact = 2, within = 60s => Gone)]
    #[to(S26)]
    S25,
    #[read(exact = 3, within = 60s => Gone)]
    #[to(S27)]
    S26,
    #[read(exact = 1, within = 60s => Gone)]
    #[to(S28)]
    S27,
    #[read(exact = 2, within = 60s => Gone)]
    #[to(S29)]
    S28,
    #[read(exact = 3, within = 60s => Gone)]
    #[to(S30)]
    S29,
    #[read(exact = 1, within = 60s => Gone)]
    #[to(S31)]
    S30,
    #[read(exact = 2, within = 60s => Gone)]
    #[to(S32)]
    S31,
    #[read(exact = 3, within = 60s => Gone)]
    #[to(S33)]
    S32,
    #[read(exact = 1, within = 60s => Gone)]
    #[to(S34)]
    S33,
    #[read(exact = 2, within = 60s => Gone)]
    #[to(S35)]
    S34,
    #[read(exact = 3, within = 60s => Gone)]
    #[to(S36)]
    S35,
    #[read(exact = 1, within = 60s => Gone)]
    #[to(S37)]
    S36,
    #[read(exact = 2, within = 60s => Gone)]
    #[to(S38)]
    S37,
    #[read(exact = 3, within = 60s => Gone)]
    #[to(S39)]
    S38,
    #[read(exact = 1, within = 60s => Gone)]
    #[to(S40)]
    S39,
    #[read(exact = 2, within = 60s => Gone)]
    #[to(S41)]
    S40,
    #[read(exact = 3, within = 60s => Gone)]
    #[to(S42)]
    S41,
    #[read(exact = 1, within = 60s => Gone)]
    #[to(S43)]
    S42,
    #[read(exact = 2, within = 60s => Gone)]
    #[to(S44)]
    S43,
    #[read(exact = 3, within = 60s => Gone)]
    #[to(S45)]
    S44,
    #[read(exact = 1, within = 60s => Gone)]
    #[to(S46)]
    S45,
    #[read(exact = 2, within = 60s => Gone)]
    #[to(S47)]
    S46,
    #[read(exact = 3, within = 60s => Gone)]
    #[to(S48)]
    S47,
    #[read(exact = 1, within = 60s => Gone)]
    #[to(S49)]
    S48,
    #[read(exact = 2, within = 60s => Gone)]
    #[to(S50)]
    S49,
    #[read(exact = 3, within = 60s => Gone)]
    #[to(S51)]
    S50,
    #[read(exact = 1, within = 60s => Gone)]
    #[to(S52)]
    S51,
    #[read(exact = 2, within = 60s => Gone)]
    #[to(S53)]
    S52,
    #[read(exact = 3, within = 60s => Gone)]
    #[to(S54)]
    S53,
    #[read(exact = 1, within = 60s => Gone)]
    #[to(S55)]
    S54,
    #[read(exact = 2, within = 60s => Gone)]
    #[to(S56)]
    S55,
    #[read(exact = 3, within = 60s => Gone)]
    #[to(S57)]
    S56,
    #[read(exact = 1, within = 60s => Gone)]
    #[to(S58)]
    S57,
    #[read(exact = 2, within = 60s => Gone)]
    #[to(S59)]
    S58,
    #[read(exact = 3, within = 60s => Gone)]
    #[to(Gone)]
    S59,
    #[end]
    Gone,
}

struct Client;

impl long::Handler for Client {
    fn s0(&mut self, _: &[u8; 1], _: &mut Cx<'_>) -> long::AfterS0 {
        long::AfterS0::S1
    }

    fn s1(&mut self, _: &[u8; 2], _: &mut Cx<'_>) -> long::AfterS1 {
        long::AfterS1::S2
    }

    fn s2(&mut self, _: &[u8; 3], _: &mut Cx<'_>) -> long::AfterS2 {
        long::AfterS2::S3
    }

    fn s3(&mut self, _: &[u8; 1], _: &mut Cx<'_>) -> long::AfterS3 {
        long::AfterS3::S4
    }

    fn s4(&mut self, _: &[u8; 2], _: &mut Cx<'_>) -> long::AfterS4 {
        long::AfterS4::S5
    }

    fn s5(&mut self, _: &[u8; 3], _: &mut Cx<'_>) -> long::AfterS5 {
        long::AfterS5::S6
    }

    fn s6(&mut self, _: &[u8; 1], _: &mut Cx<'_>) -> long::AfterS6 {
        long::AfterS6::S7
    }

    fn s7(&mut self, _: &[u8; 2], _: &mut Cx<'_>) -> long::AfterS7 {
        long::AfterS7::S8
    }

    fn s8(&mut self, _: &[u8; 3], _: &mut Cx<'_>) -> long::AfterS8 {
        long::AfterS8::S9
    }

    fn s9(&mut self, _: &[u8; 1], _: &mut Cx<'_>) -> long::AfterS9 {
        long::AfterS9::S10
    }

    fn s10(&mut self, _: &[u8; 2], _: &mut Cx<'_>) -> long::AfterS10 {
        long::AfterS10::S11
    }

    fn s11(&mut self, _: &[u8; 3], _: &mut Cx<'_>) -> long::AfterS11 {
        long::AfterS11::S12
    }

    fn s12(&mut self, _: &[u8; 1], _: &mut Cx<'_>) -> long::AfterS12 {
        long::AfterS12::S13
    }

    fn s13(&mut self, _: &[u8; 2], _: &mut Cx<'_>) -> long::AfterS13 {
        long::AfterS13::S14
    }

    fn s14(&mut self, _: &[u8; 3], _: &mut Cx<'_>) -> long::AfterS14 {
        long::AfterS14::S15
    }

    fn s15(&mut self, _: &[u8; 1], _: &mut Cx<'_>) -> long::AfterS15 {
        long::AfterS15::S16
    }

    fn s16(&mut self, _: &[u8; 2], _: &mut Cx<'_>) -> long::AfterS16 {
        long::AfterS16::S17
    }

    fn s17(&mut self, _: &[u8; 3], _: &mut Cx<'_>) -> long::AfterS17 {
        long::AfterS17::S18
    }

    fn s18(&mut self, _: &[u8; 1], _: &mut Cx<'_>) -> long::AfterS18 {
        long::AfterS18::S19
    }

    fn s19(&mut self, _: &[u8; 2], _: &mut Cx<'_>) -> long::AfterS19 {
        long::AfterS19::S20
    }

    fn s20(&mut self, _: &[u8; 3], _: &mut Cx<'_>) -> long::AfterS20 {
        long::AfterS20::S21
    }

    fn s21(&mut self, _: &[u8; 1], _: &mut Cx<'_>) -> long::AfterS21 {
        long::AfterS21::S22
    }

    fn s22(&mut self, _: &[u8; 2], _: &mut Cx<'_>) -> long::AfterS22 {
        long::AfterS22::S23
    }

    fn s23(&mut self, _: &[u8; 3], _: &mut Cx<'_>) -> long::AfterS23 {
        long::AfterS23::S24
    }

    fn s24(&mut self, _: &[u8; 1], _: &mut Cx<'_>) -> long::AfterS24 {
        long::AfterS24::S25
    }

    fn s25(&mut self, _: &[u8; 2], _: &mut Cx<'_>) -> long::AfterS25 {
        long::AfterS25::S26
    }

    fn s26(&mut self, _: &[u8; 3], _: &mut Cx<'_>) -> long::AfterS26 {
        long::AfterS26::S27
    }

    fn s27(&mut self, _: &[u8; 1], _: &mut Cx<'_>) -> long::AfterS27 {
        long::AfterS27::S28
    }

    fn s28(&mut self, _: &[u8; 2], _: &mut Cx<'_>) -> long::AfterS28 {
        long::AfterS28::S29
    }

    fn s29(&mut self, _: &[u8; 3], _: &mut Cx<'_>) -> long::AfterS29 {
        long::AfterS29::S30
    }

    fn s30(&mut self, _: &[u8; 1], _: &mut Cx<'_>) -> long::AfterS30 {
        long::AfterS30::S31
    }

    fn s31(&mut self, _: &[u8; 2], _: &mut Cx<'_>) -> long::AfterS31 {
        long::AfterS31::S32
    }

    fn s32(&mut self, _: &[u8; 3], _: &mut Cx<'_>) -> long::AfterS32 {
        long::AfterS32::S33
    }

    fn s33(&mut self, _: &[u8; 1], _: &mut Cx<'_>) -> long::AfterS33 {
        long::AfterS33::S34
    }

    fn s34(&mut self, _: &[u8; 2], _: &mut Cx<'_>) -> long::AfterS34 {
        long::AfterS34::S35
    }

    fn s35(&mut self, _: &[u8; 3], _: &mut Cx<'_>) -> long::AfterS35 {
        long::AfterS35::S36
    }

    fn s36(&mut self, _: &[u8; 1], _: &mut Cx<'_>) -> long::AfterS36 {
        long::AfterS36::S37
    }

    fn s37(&mut self, _: &[u8; 2], _: &mut Cx<'_>) -> long::AfterS37 {
        long::AfterS37::S38
    }

    fn s38(&mut self, _: &[u8; 3], _: &mut Cx<'_>) -> long::AfterS38 {
        long::AfterS38::S39
    }

    fn s39(&mut self, _: &[u8; 1], _: &mut Cx<'_>) -> long::AfterS39 {
        long::AfterS39::S40
    }

    fn s40(&mut self, _: &[u8; 2], _: &mut Cx<'_>) -> long::AfterS40 {
        long::AfterS40::S41
    }

    fn s41(&mut self, _: &[u8; 3], _: &mut Cx<'_>) -> long::AfterS41 {
        long::AfterS41::S42
    }

    fn s42(&mut self, _: &[u8; 1], _: &mut Cx<'_>) -> long::AfterS42 {
        long::AfterS42::S43
    }

    fn s43(&mut self, _: &[u8; 2], _: &mut Cx<'_>) -> long::AfterS43 {
        long::AfterS43::S44
    }

    fn s44(&mut self, _: &[u8; 3], _: &mut Cx<'_>) -> long::AfterS44 {
        long::AfterS44::S45
    }

    fn s45(&mut self, _: &[u8; 1], _: &mut Cx<'_>) -> long::AfterS45 {
        long::AfterS45::S46
    }

    fn s46(&mut self, _: &[u8; 2], _: &mut Cx<'_>) -> long::AfterS46 {
        long::AfterS46::S47
    }

    fn s47(&mut self, _: &[u8; 3], _: &mut Cx<'_>) -> long::AfterS47 {
        long::AfterS47::S48
    }

    fn s48(&mut self, _: &[u8; 1], _: &mut Cx<'_>) -> long::AfterS48 {
        long::AfterS48::S49
    }

    fn s49(&mut self, _: &[u8; 2], _: &mut Cx<'_>) -> long::AfterS49 {
        long::AfterS49::S50
    }

    fn s50(&mut self, _: &[u8; 3], _: &mut Cx<'_>) -> long::AfterS50 {
        long::AfterS50::S51
    }

    fn s51(&mut self, _: &[u8; 1], _: &mut Cx<'_>) -> long::AfterS51 {
        long::AfterS51::S52
    }

    fn s52(&mut self, _: &[u8; 2], _: &mut Cx<'_>) -> long::AfterS52 {
        long::AfterS52::S53
    }

    fn s53(&mut self, _: &[u8; 3], _: &mut Cx<'_>) -> long::AfterS53 {
        long::AfterS53::S54
    }

    fn s54(&mut self, _: &[u8; 1], _: &mut Cx<'_>) -> long::AfterS54 {
        long::AfterS54::S55
    }

    fn s55(&mut self, _: &[u8; 2], _: &mut Cx<'_>) -> long::AfterS55 {
        long::AfterS55::S56
    }

    fn s56(&mut self, _: &[u8; 3], _: &mut Cx<'_>) -> long::AfterS56 {
        long::AfterS56::S57
    }

    fn s57(&mut self, _: &[u8; 1], _: &mut Cx<'_>) -> long::AfterS57 {
        long::AfterS57::S58
    }

    fn s58(&mut self, _: &[u8; 2], _: &mut Cx<'_>) -> long::AfterS58 {
        long::AfterS58::S59
    }

    fn s59(&mut self, _: &[u8; 3], _: &mut Cx<'_>) -> long::AfterS59 {
        long::AfterS59::Gone
    }
}

fn main() {
    let mut session = Session::<Long, _>::new(Client);
    session.send(&[0; 119]);
    assert_eq!(session.state(), Some("S59"));
    session.send(&[0; 1]);
    assert_eq!(session.state(), None);
}
