//! Columns of many values, which are embedded.

use core::fmt::Write;

use nn::data::{ColumnSettings, Columns, Standardizer, Table};
use nn::{Dense, Embedding, Model, Network, NetworkBuilder, Target};
use tape::Matrix;

/// A table with a column of so many cities, each in three rows, and one in a single row.
fn cities(count: usize) -> Table {
    let mut text = String::from("city,x\n");
    for row in 0..3 * count {
        writeln!(text, "city{},{row}", row % count).unwrap();
    }
    text += "Rome,1\n";
    Table::from_reader(text.as_bytes()).unwrap()
}

fn learn(table: &Table, settings: &ColumnSettings) -> Columns {
    Columns::learn(table, &(0..table.len()).collect::<Vec<_>>(), settings).unwrap()
}

fn many() -> ColumnSettings {
    ColumnSettings { embed_many: true, ..ColumnSettings::default() }
}

#[test]
fn a_column_of_many_categories_is_embedded_where_that_is_asked() {
    let columns = learn(&cities(60), &many());
    assert_eq!(
        columns.iter().next().unwrap().encoding.to_string(),
        "text, 60 categories: city0, city1, city10, city11, city12, city13, …; each stands for 3 numbers that are \
         learnt; 1 rare ones count as one"
    );
    assert_eq!(columns.embeddings(), [Embedding::new(60, 3)]);
    assert_eq!(columns.width(), 2);
    assert!(learn(&cities(50), &many()).embeddings().is_empty());
    assert!(learn(&cities(60), &ColumnSettings::default()).embeddings().is_empty());
}

#[test]
fn a_column_may_be_said_to_be_embedded_with_its_dimensions() {
    for (dimensions, expected) in [(None, 2), (Some(7), 7)] {
        let embed = vec![("city".to_owned(), dimensions)];
        let columns = learn(&cities(3), &ColumnSettings { embed, ..ColumnSettings::default() });
        assert_eq!(columns.embeddings(), [Embedding::new(3, expected)]);
    }
}

#[test]
fn an_index_is_not_scaled() {
    let table = cities(60);
    let columns = learn(&table, &many());
    let inputs = columns.apply(&table).unwrap().inputs;
    let standardizer = columns.standardizer(&Standardizer::learn(&inputs).unwrap());
    assert_eq!((standardizer.means()[0], standardizer.scales()[0]), (0.0, 1.0));
}

#[test]
fn what_is_unknown_is_said_and_has_an_index_of_its_own_and_what_is_rare_shares_it() {
    let columns = learn(&cities(60), &many());
    let table = |city: &str| Table::from_reader(format!("city,x\n{city},1\n").as_bytes()).unwrap();
    let encoded = columns.apply(&table("Oslo")).unwrap();
    assert_eq!(encoded.inputs.data, [60.0, 1.0]);
    assert_eq!(
        encoded.notes[0].to_string(),
        "column \"city\": 1 cell is of no category that the training had (\"Oslo\")"
    );
    let encoded = columns.apply(&table("Rome")).unwrap();
    assert_eq!((encoded.inputs.data[0], encoded.notes.len()), (60.0, 0));
    let encoded = columns.apply(&table("city0")).unwrap();
    assert_eq!((encoded.inputs.data[0], encoded.notes.len()), (0.0, 0));
    let encoded = columns.apply(&table("")).unwrap();
    assert_eq!((encoded.inputs.data[0], encoded.notes[0].filled), (60.0, 1));
}

#[test]
fn a_gap_among_the_categories_is_marked() {
    let table = Table::from_reader("city,x\nOslo,1\n,2\nRome,3\nOslo,4\n".as_bytes()).unwrap();
    let embed = vec![("city".to_owned(), Some(2))];
    let columns = learn(&table, &ColumnSettings { embed, ..ColumnSettings::default() });
    assert_eq!(columns.names(), ["city", "city (gap)", "x"]);
    let inputs = columns.apply(&table).unwrap().inputs;
    assert_eq!(inputs.rows_iter().map(|row| row[1]).collect::<Vec<_>>(), [0.0, 1.0, 0.0, 0.0]);
}

fn model(columns: Columns, network: Network) -> Model {
    let rows = Matrix { rows: 2, columns: 2, data: vec![0.0, 1.0, 1.0, 3.0] };
    let learnt = Standardizer::learn(&rows).unwrap();
    Model {
        network,
        inputs: columns.names(),
        standardizer: columns.standardizer(&learnt),
        columns,
        target: Target::Numbers {
            names: vec!["y".to_owned()],
            standardizer: Standardizer::learn(&Matrix {
                rows: 2,
                columns: 1,
                data: vec![0.0, 2.0],
            })
            .unwrap(),
            log: false,
        },
    }
}

#[test]
fn a_model_with_an_embedding_answers_the_same_when_it_is_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let (table, columns) = (cities(60), learn(&cities(60), &many()));
    let builder = Network::builder(2).layer(columns.embeddings()[0]);
    let model = model(columns, builder.layer(Dense::linear(1)).build().unwrap());
    model.save(folder.path().join("m")).unwrap();
    let read = Model::load(folder.path().join("m")).unwrap();
    let answers =
        |model: &Model| model.answers(model.columns.apply(&table).unwrap().inputs).unwrap();
    assert_eq!(answers(&model), answers(&read));
    assert_eq!(model.columns, read.columns);
}

#[test]
fn a_model_whose_network_looks_up_other_categories_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    for layer in [Some(Embedding::new(59, 3)), Some(Embedding::new(60, 3).of_input(1)), None] {
        let builder = Network::builder(2);
        let builder = layer.into_iter().fold(builder, NetworkBuilder::layer);
        let network = builder.layer(Dense::linear(1)).build().unwrap();
        let model = model(learn(&cities(60), &many()), network);
        model.save(folder.path().join("m")).unwrap();
        let error = Model::load(folder.path().join("m")).unwrap_err().to_string();
        assert!(error.contains("its columns and its network look up other categories"), "{error}");
    }
}
