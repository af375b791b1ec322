//! Reads a table, and makes numbers of all its columns if that is asked for: what `read_table.py` compares with polars.
//!
//! ```text
//! cargo run --release -p nn --features parquet --example read_table -- FILE.csv [numbers]
//! ```

use nn::data::{ColumnSettings, Columns, Table};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().ok_or("give a file")?;
    let table = Table::read(path)?;
    println!("{}×{}", table.len(), table.columns().len());
    if arguments.next().is_some() {
        let rows: Vec<usize> = (0..table.len()).collect();
        let columns = Columns::learn(&table, &rows, &ColumnSettings::default())?;
        let inputs = columns.apply(&table)?.inputs;
        println!("{}×{}", inputs.rows, inputs.columns);
    }
    Ok(())
}
