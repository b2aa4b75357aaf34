//! A service killed under the load of its clients has done what it has acknowledged. `./dev torture` does it a hundred times.

use cofferdam_tests::api_torture::api_torture;

#[test]
fn a_service_killed_under_load_has_done_what_it_acknowledged() {
    let kills = std::env::var("COFFERDAM_API_KILLS").ok();
    let kills = kills.and_then(|kills| kills.parse().ok()).unwrap_or(12);
    let seen = api_torture(kills, 11);
    println!("{seen}");
    assert_eq!(
        (seen.lost, seen.untrue, seen.stuck),
        (Vec::new(), Vec::new(), Vec::<String>::new())
    );
    assert!(
        seen.acknowledged >= kills,
        "the clients did little: {}",
        seen.acknowledged
    );
}
