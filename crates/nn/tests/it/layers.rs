//! Layers that go between dense ones: layer norm, and dropout, which is there only while a network trains.

use nn::data::{Classes, Standardizer};
use nn::{
    Dense, Dropout, Error, LayerNorm, Loss, Model, Network, NetworkBuilder, Optimizer, Samples,
    Settings, Target, Trainer, layer_norm,
};
use tape::{Matrix, Real, check};

use crate::trainer::rows;

fn hidden() -> NetworkBuilder {
    Network::builder(2).layer(Dense::new(6, "tanh".parse().unwrap())).seed(4)
}

fn with_both(share: f64) -> Network {
    let builder = hidden().layer(LayerNorm).layer(Dropout::new(share));
    builder.layer(Dense::linear(1)).build().unwrap()
}

fn trained(network: Network, epochs: usize, seed: u64) -> Trainer {
    let settings = Settings { epochs, seed, batch: 8, rate: 0.01, ..Settings::default() };
    let mut trainer = Trainer::new(network, Loss::MeanSquared, settings).unwrap();
    trainer.train(rows(50, 1).samples()).unwrap();
    trainer
}

#[test]
fn a_normed_row_has_mean_0_and_deviation_1_before_it_is_scaled() {
    let y: Vec<f64> = layer_norm(&[1.0; 4], &[0.0; 4], &[1.0, 2.0, 4.0, 1000.0]);
    assert!(y.iter().sum::<f64>().abs() < 1e-12);
    assert!((y.iter().map(|y| y * y).sum::<f64>() / 4.0 - 1.0).abs() < 1e-9);
    let scaled = layer_norm(&[1.0, 2.0, 3.0, -4.0], &[0.5; 4], &[1.0, 2.0, 4.0, 1000.0]);
    for ((scaled, y), weight) in scaled.iter().zip(&y).zip([1.0, 2.0, 3.0, -4.0]) {
        assert!((scaled - (weight * y + 0.5)).abs() < 1e-12);
    }
}

#[test]
fn a_normed_row_of_equal_numbers_is_its_bias() {
    assert_eq!(layer_norm(&[2.0, 3.0], &[0.25, -1.0], &[7.0, 7.0]), [0.25, -1.0]);
}

#[test]
fn the_gradient_of_a_layer_norm_is_right() {
    fn function<T: Real>(x: &[T]) -> T {
        let y = layer_norm(&x[..3], &x[3..6], &x[6..]);
        y[0] * y[1] + y[2].powi(3)
    }
    check::assert_gradient(function, &[1.5, -0.5, 2.0, 0.1, 0.2, 0.3, 0.7, -1.2, 3.0]);
}

#[test]
fn dropout_is_not_there_when_a_network_predicts() {
    let without = hidden().layer(LayerNorm).layer(Dense::linear(1)).build().unwrap();
    let x = rows(20, 3).inputs;
    let answers = |network: &Network| network.predict_rows(&x).unwrap();
    assert_eq!(answers(&with_both(0.5)), answers(&without));
    assert_eq!(with_both(0.5).predict(x.row(0)).unwrap(), without.predict(x.row(0)).unwrap());
}

#[test]
fn a_share_of_0_trains_as_no_dropout_does() {
    let without = hidden().layer(LayerNorm).layer(Dense::linear(1)).build().unwrap();
    let (with, without) = (trained(with_both(0.0), 3, 1), trained(without, 3, 1));
    assert_eq!(with.history(), without.history());
    let values = |trainer: &Trainer| -> Vec<f64> {
        trainer.last().parameters().values().flat_map(|own| own.values().to_vec()).collect()
    };
    assert_eq!(values(&with), values(&without));
}

/// One step down the slope of the sum of all inputs that are left: each weight moves by what its input was multiplied by.
#[test]
fn a_share_of_the_inputs_is_dropped_and_the_others_are_larger() {
    let (inputs, share) = (10_000, 0.2);
    let layer = Dense::linear(1).without_bias().initializer(nn::Initializer::Zeros);
    let build =
        || Network::builder(inputs).layer(Dropout::new(share)).layer(layer).build().unwrap();
    let x = Matrix { rows: 1, columns: inputs, data: vec![1.0; inputs] };
    let target = Matrix { rows: 1, columns: 1, data: vec![-0.5] };
    let steps = |seed| {
        let settings = Settings {
            optimizer: Optimizer::Plain,
            rate: 1.0,
            epochs: 1,
            seed,
            ..Settings::default()
        };
        let mut trainer = Trainer::new(build(), Loss::MeanSquared, settings).unwrap();
        trainer.train(Samples { inputs: &x, targets: &target }).unwrap();
        trainer.last().parameters()["layer2.weight"].values().to_vec()
    };
    // (y + 0.5)² at y = 0 has slope 1 in y.
    let moved = steps(1);
    let dropped = moved.iter().filter(|&&step| step == 0.0).count();
    assert!(moved.iter().all(|&step| step == 0.0 || (step + 1.0 / (1.0 - share)).abs() < 1e-12));
    // Four deviations of a binomial count.
    assert!((1840..2160).contains(&dropped), "{dropped} of {inputs}");
    assert_eq!(moved, steps(1));
    assert_ne!(moved, steps(2));
}

#[test]
fn each_epoch_drops_anew() {
    let settings =
        Settings { optimizer: Optimizer::Plain, rate: 1e-300, epochs: 2, ..Settings::default() };
    let mut trainer = Trainer::new(with_both(0.5), Loss::MeanSquared, settings).unwrap();
    // One row has one order, and the parameters stay as they are: nothing but the dropped inputs makes the difference.
    trainer.train(rows(1, 1).samples()).unwrap();
    assert_ne!(trainer.history()[0].loss, trainer.history()[1].loss);
}

#[test]
fn a_training_with_dropout_resumes_to_the_bit() {
    let folder = tempfile::tempdir().unwrap();
    let whole = trained(with_both(0.3), 6, 5);
    trained(with_both(0.3), 2, 5).save(folder.path().join("run")).unwrap();
    let mut resumed =
        Trainer::load(with_both(0.3), Loss::MeanSquared, folder.path().join("run")).unwrap();
    resumed.set_epochs(6);
    resumed.train(rows(50, 1).samples()).unwrap();
    assert_eq!(whole.history(), resumed.history());
    assert!(whole.last().has_parameters_of(resumed.last()));
    let other = Trainer::load(with_both(0.4), Loss::MeanSquared, folder.path().join("run"));
    assert!(matches!(other, Err(nn::FileError::Differs { what: "network", .. })));
}

#[test]
fn a_training_with_dropout_is_the_same_on_any_number_of_threads() {
    let on = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| trained(with_both(0.3), 3, 5))
    };
    assert!(on(1).last().has_parameters_of(on(4).last()));
}

#[test]
fn shares_that_make_no_sense_are_refused() {
    for share in [-0.1, 1.0, f64::NAN, f64::INFINITY] {
        let error = hidden().layer(Dropout::new(share)).build().unwrap_err();
        assert!(matches!(error, Error::InvalidSetting(_)), "{error}");
    }
    assert_eq!(
        hidden().layer(Dropout::new(1.0)).build().unwrap_err().to_string(),
        "the share that is dropped cannot be 1: it must be at least 0 and below 1"
    );
}

#[test]
fn a_model_keeps_these_layers() {
    let numbers = Matrix { rows: 2, columns: 2, data: vec![1.0, 2.0, 3.0, 10.0] };
    let builder = hidden().layer(LayerNorm).layer(Dropout::new(0.25));
    let model = Model {
        network: builder.layer(Dense::linear(2)).build().unwrap(),
        inputs: vec!["a".to_owned(), "b".to_owned()],
        columns: nn::data::Columns::numbers(["a", "b"]),
        standardizer: Standardizer::learn(&numbers).unwrap(),
        target: Target::Classes {
            name: "kind".to_owned(),
            classes: Classes::of(["x", "y"]).unwrap(),
        },
    };
    let folder = tempfile::tempdir().unwrap();
    model.save(folder.path().join("model")).unwrap();
    let read = Model::load(folder.path().join("model")).unwrap();
    assert_eq!(read.answers(numbers.clone()).unwrap(), model.answers(numbers).unwrap());
    assert_eq!(read.network.to_string(), model.network.to_string());
    assert!(read.network.to_string().contains("layer3: dropout of 25 % while it trains"));
}
