//! What allocates and what does not, counted by an allocator of this test's own.

use tape::{Op, Program, Var, Workspace};

/// After its first use, a workspace serves at every point without an allocation.
#[track_caller]
fn check(name: &str, f: impl Fn(&[Var]) -> Var, x: &[f64]) {
    let program = Program::trace(f, x).expect("the function can be traced");
    let mut workspace = Workspace::default();
    let mut gradient = vec![0.0; x.len()];
    program.gradient_into(x, &mut workspace, &mut gradient).expect("the path is the traced one");
    // What is not finite goes the careful way.
    let others = [f64::INFINITY, f64::NEG_INFINITY, f64::NAN, 0.0, 1e300];
    for x in std::iter::once(x.to_vec()).chain(others.map(|other| vec![other; x.len()])) {
        let mut result = Ok(0.0);
        let counts = allocation_counter::measure(|| {
            result = program.gradient_into(&x, &mut workspace, &mut gradient);
        });
        // An error's message may be allocated.
        if result.is_ok() {
            assert_eq!(counts.count_total, 0, "{name} at {x:?}");
        }
    }
}

/// Points in the operation's range: as many arguments as it takes, `count` times.
fn point(op: Op, count: usize) -> Vec<f64> {
    let at = |i: usize| {
        move |range: &std::ops::Range<f64>| {
            range.start + (range.end - range.start) * (0.3 + 0.02 * i as f64)
        }
    };
    (0..count).flat_map(|i| op.ranges().iter().map(at(i))).collect()
}

#[test]
fn no_operation_of_the_table_allocates() {
    for &op in Op::ALL {
        let apply = |arguments: &[Var]| match op {
            Op::Powi => arguments[0].powi(3),
            Op::Polygamma => arguments[0].polygamma(1),
            op => op.apply(arguments),
        };
        check(op.name(), apply, &point(op, 1));
        let many = |x: &[Var]| {
            let terms: Vec<Var> = x.chunks_exact(op.arity().unwrap()).map(apply).collect();
            tape::sum(&terms)
        };
        check(op.name(), many, &point(op, 20));
    }
}

#[test]
fn no_operation_on_slices_allocates() {
    let x: Vec<f64> = (1..=40).map(f64::from).collect();
    let apart = |x: &[Var]| x.iter().map(|x| x.sin() * 2.0).collect::<Vec<Var>>();
    check("sum", |x| tape::sum(x), &x);
    check("dot", |x| tape::dot(x, x), &x);
    check("norm", |x| tape::norm(x), &x);
    check("log_sum_exp", |x| tape::log_sum_exp(x), &x);
    check("sum of every other", |x| tape::sum(&[x[0], x[2], x[5], x[1], x[20], x[3]]), &x);
    check("norm of every other", |x| tape::norm(&[x[0], x[2], x[5], x[1], x[20], x[3]]), &x);
    check("norms of parts", |x| x.chunks(10).map(tape::norm).fold(0.0.into(), |a, b| a + b), &x);
    check("log_sum_exp of results", |x| tape::log_sum_exp(&apart(x)), &x);
    check("dot of an odd number", |x| x[39] + tape::dot(&x[..20], &apart(&x[20..])), &x);
}

#[test]
fn products_into_kept_room_allocate_nothing() {
    let outputs = |x: &[Var]| [x[0] * x[1].sin(), x[2].exp(), x[0] / x[2]];
    let program = Program::trace(outputs, &[1.0, 2.0, 3.0]).unwrap();
    let mut workspace = Workspace::default();
    let (mut values, mut product) = ([0.0; 3], [0.0; 3]);
    let mut all = |x: &[f64; 3]| {
        program.values_into(x, &mut workspace, &mut values)?;
        program.jacobian_vector_into(
            x,
            &[1.0, 0.5, 2.0],
            &mut workspace,
            &mut values,
            &mut product,
        )?;
        program.vector_jacobian_into(x, &[1.0, 0.5, 2.0], &mut workspace, &mut values, &mut product)
    };
    all(&[1.0, 2.0, 3.0]).unwrap();
    let counts = allocation_counter::measure(|| all(&[0.5, -2.0, 0.25]).unwrap());
    assert_eq!(counts.count_total, 0);
}

#[test]
fn guards_allocate_nothing_while_they_hold() {
    let f = |x: &[Var]| {
        if x[0] < x[1] && x[0].partial_cmp(&x[2]).is_some() { x[0] * x[1] } else { x[2] }
    };
    check("guards", f, &[1.0, 2.0, 3.0]);
}

/// Of bytes that announce more than there is.
#[test]
fn few_bytes_never_make_a_large_allocation() {
    let program = Program::trace(|x| tape::norm(x) * x[0].exp(), &[1.0; 10]).unwrap();
    let bytes = program.to_bytes();
    // Header and checksum: the rest is the body.
    let body = &bytes[20..bytes.len() - 4];
    for position in 0..body.len() {
        for number in
            [&[0xff, 0xff, 0x7f][..], &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]]
        {
            let hostile = [&body[..position], number, &body[position + 1..]].concat();
            let counts =
                allocation_counter::measure(|| drop(Program::from_bytes(&sealed(&hostile))));
            assert!(counts.bytes_max < 20_000, "{} bytes at {position}", counts.bytes_max);
        }
    }
}

#[test]
fn memory_is_proportional_to_the_bytes() {
    for size in [1_000, 100_000] {
        let program = Program::trace(|x| x[0], &vec![1.0; size]).unwrap();
        let bytes = program.to_bytes();
        let counts = allocation_counter::measure(|| drop(Program::from_bytes(&bytes).unwrap()));
        assert!(counts.bytes_max < 200 * bytes.len() as u64, "{} for {size}", counts.bytes_max);
    }
}

/// A body with its header and checksum.
fn sealed(body: &[u8]) -> Vec<u8> {
    let length = (body.len() as u64).to_le_bytes();
    let mut bytes = [&b"TAPEPROG"[..], &1_u32.to_le_bytes(), &length, body].concat();
    bytes.extend(crc32fast::hash(&bytes).to_le_bytes());
    bytes
}

/// Jacobians and Hessians into room that is kept: a few columns one by one, and many together.
#[test]
fn matrices_into_room_that_is_kept_allocate_nothing() {
    for (inputs, outputs) in [(2, 1), (3, 3), (12, 1), (12, 20), (30, 9)] {
        let f = |x: &[Var]| -> Vec<Var> {
            (0..outputs).map(|i| x.iter().map(|&x| (x * (i + 1) as f64).sin() * x).sum()).collect()
        };
        let x: Vec<f64> = (0..inputs).map(|i| 0.1 * i as f64).collect();
        let program = Program::trace(f, &x).expect("the function can be traced");
        let mut workspace = Workspace::default();
        let (mut values, mut gradient) = (vec![0.0; outputs], vec![0.0; inputs]);
        let mut jacobian = vec![0.0; inputs * outputs];
        let mut hessian = vec![0.0; inputs * inputs];
        for round in 0..2 {
            let counts = allocation_counter::measure(|| {
                program.jacobian_into(&x, &mut workspace, &mut values, &mut jacobian).unwrap();
                if outputs == 1 {
                    program.hessian_into(&x, &mut workspace, &mut gradient, &mut hessian).unwrap();
                }
            });
            assert!(round == 0 || counts.count_total == 0, "{inputs} inputs, {outputs} outputs");
        }
        assert_eq!(jacobian, program.jacobian(&x).unwrap().1.data);
        if outputs == 1 {
            assert_eq!(hessian, program.hessian(&x).unwrap().2.data);
        }
    }
}

#[test]
fn what_nothing_depends_on_takes_little_room_while_it_is_traced() {
    // On a list they would be 50 MB.
    let f = |x: &[Var]| {
        let unused = (0..1_000_000).fold(x[0], |y, _| y * 0.5 + x[1]);
        x[0] * x[1] + (unused - unused) * 0.0
    };
    let unused = |x: &[Var]| {
        (0..1_000_000).fold(x[0], |y, _| y * 0.5 + x[1]);
        x[0] * x[1]
    };
    let mut operations = [0; 2];
    let traced = allocation_counter::measure(|| {
        operations[0] = Program::trace(unused, &[1.0, 2.0]).unwrap().len();
    });
    assert!(traced.bytes_max < 4 << 20, "{} bytes", traced.bytes_max);
    // What an output depends on is there in the end, and takes its room.
    let traced = allocation_counter::measure(|| {
        operations[1] = Program::trace(f, &[1.0, 2.0]).unwrap().len();
    });
    assert!(traced.bytes_max > 40 << 20, "{} bytes", traced.bytes_max);
    assert!(operations[0] == 1 && operations[1] >= 1_000_000, "{operations:?}");
}
