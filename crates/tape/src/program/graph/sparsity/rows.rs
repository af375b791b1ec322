//! Which inputs the outputs of an acyclic graph depend on.
//!
//! Inputs are carried through the graph as sets. That takes time proportional to the graph where sets are small or
//! alike, and far too much where they grow: the partial sums of n variables have n²/2 elements together, of which an
//! output may need n. So a vertex's set is formed only while it is small, or while a budget lasts. Outputs that are left
//! without a set are searched from, 64 at a time: a search passes the vertices without sets alone.

use smallvec::SmallVec;

use crate::pattern::Pattern;
use crate::program::graph::Id;

/// An acyclic graph: its first vertices are the inputs, and every other one depends on vertices before it.
pub(super) trait Dependencies {
    fn inputs(&self) -> usize;
    fn len(&self) -> usize;
    /// What a vertex depends on directly. An input depends on itself alone, and has none.
    fn sources(&self, vertex: Id) -> &[Id];
}

/// The inputs that each output depends on, ascending: a row for each.
pub(super) fn rows(graph: &impl Dependencies, outputs: &[Id]) -> Pattern {
    /// So few outputs are quickly searched from.
    const FEW: usize = 4 * WORD;
    let limits = if outputs.len() > FEW {
        Limits { small: 32, budget: 8 * graph.len() }
    } else {
        Limits { small: 0, budget: 0 }
    };
    rows_within(graph, outputs, limits)
}

/// Which sets are formed.
#[derive(Clone, Copy)]
pub(super) struct Limits {
    /// Always those of at most so many elements. With 0, none are formed at all.
    pub(super) small: usize,
    /// Of larger ones, as many as have so many elements together.
    pub(super) budget: usize,
}

/// As [`rows`], by the given limits.
pub(super) fn rows_within(graph: &impl Dependencies, outputs: &[Id], limits: Limits) -> Pattern {
    let sets = Sets::of_vertices(graph, outputs, limits);
    let (mut large, mut without_set): (Vec<Vec<u32>>, Vec<Id>) = Default::default();
    without_set.extend(outputs.iter().filter(|output| sets.of(**output) == LARGE));
    if !without_set.is_empty() {
        let mut search = Search::new(graph, &sets);
        for outputs in without_set.chunks(WORD) {
            large.extend(search.rows(outputs));
        }
    }
    let mut large = large.iter();
    let rows = outputs.iter().map(|&output| match sets.of(output) {
        LARGE => large.next().map_or(&[][..], Vec::as_slice),
        set => sets.elements(set),
    });
    Pattern::from_rows(graph.inputs(), rows.map(|row| row.iter().map(|&input| input as usize)))
}

/// The number of a set of inputs: 0 of the empty one, i + 1 of {i}, and those of larger ones as they were formed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Set(u32);

const EMPTY: Set = Set(0);

/// Stands for a set that is not formed.
const LARGE: Set = Set(u32::MAX);

impl Set {
    fn index(self) -> usize {
        self.0 as usize
    }
}

/// Sets of inputs, and those that vertices depend on.
struct Sets {
    of_vertex: Vec<Set>,
    /// 0, 1, 2, …: the elements of the sets of one.
    singles: Vec<u32>,
    /// The elements of the larger sets, one after the other, and where each begins and the last one ends.
    larger: Vec<u32>,
    starts: Vec<usize>,
    /// Sets that were formed not long ago, by a hash of their elements: vertices that are close to each other often
    /// depend on the same inputs.
    recent: Vec<Set>,
    limits: Limits,
    numbers: SmallVec<[Set; 8]>,
    elements: Vec<u32>,
}

impl Sets {
    const RECENT: usize = 1 << 12;

    /// The sets of all vertices that the outputs depend on.
    fn of_vertices(graph: &impl Dependencies, outputs: &[Id], limits: Limits) -> Self {
        let inputs = graph.inputs() as u32;
        let mut sets = Self {
            of_vertex: (1..=inputs).map(Set).collect(),
            singles: (0..inputs).collect(),
            larger: Vec::new(),
            starts: vec![0],
            recent: vec![EMPTY; Self::RECENT],
            limits,
            numbers: SmallVec::new(),
            elements: Vec::new(),
        };
        if limits.small == 0 {
            sets.of_vertex.resize(graph.len(), LARGE);
            return sets;
        }
        let needed = needed(graph, outputs);
        sets.of_vertex.reserve_exact(graph.len() - graph.inputs());
        for vertex in inputs..graph.len() as u32 {
            let is_needed = needed[vertex as usize];
            let set = if is_needed { sets.union(graph.sources(Id(vertex))) } else { EMPTY };
            sets.of_vertex.push(set);
        }
        sets
    }

    fn of(&self, vertex: Id) -> Set {
        self.of_vertex[vertex.index()]
    }

    /// The number of sets.
    fn len(&self) -> usize {
        self.singles.len() + self.starts.len()
    }

    /// The elements, ascending.
    fn elements(&self, set: Set) -> &[u32] {
        match set.index().checked_sub(1) {
            None => &[],
            Some(single) if single < self.singles.len() => &self.singles[single..=single],
            Some(number) => {
                let larger = number - self.singles.len();
                &self.larger[self.starts[larger]..self.starts[larger + 1]]
            }
        }
    }

    /// The union of the sets of vertices.
    fn union(&mut self, vertices: &[Id]) -> Set {
        let mut numbers = core::mem::take(&mut self.numbers);
        numbers.clear();
        numbers.extend(vertices.iter().map(|&vertex| self.of(vertex)).filter(|&set| set != EMPTY));
        if numbers.len() > 1 {
            numbers.sort_unstable();
            numbers.dedup();
        }
        let union = match numbers[..] {
            [] => EMPTY,
            [set] => set,
            // The last number.
            [.., LARGE] => LARGE,
            _ => self.join(&numbers),
        };
        self.numbers = numbers;
        union
    }

    /// The union of different sets, or [`LARGE`].
    fn join(&mut self, sets: &[Set]) -> Set {
        let length = |&set: &Set| self.elements(set).len();
        let total: usize = sets.iter().map(length).sum();
        let largest = sets.iter().copied().max_by_key(length).unwrap_or(EMPTY);
        if self.is_union(largest, sets, total) {
            return largest;
        }
        // What small sets take together is proportional to the graph.
        if !self.spend(total.saturating_sub(sets.len().saturating_mul(self.limits.small))) {
            return LARGE;
        }
        let mut elements = core::mem::take(&mut self.elements);
        elements.clear();
        for &set in sets {
            elements.extend_from_slice(self.elements(set));
        }
        elements.sort_unstable();
        elements.dedup();
        let is_affordable = self.spend(elements.len().saturating_sub(self.limits.small));
        let union = if is_affordable { self.number(&elements) } else { LARGE };
        self.elements = elements;
        union
    }

    /// Whether so many elements can be afforded, which are taken from the budget then.
    fn spend(&mut self, elements: usize) -> bool {
        let left = self.limits.budget.checked_sub(elements);
        self.limits.budget = left.unwrap_or(self.limits.budget);
        left.is_some()
    }

    /// Whether the largest of sets, with so many elements in total, has all the others' elements. Asked only where that is
    /// quickly told.
    fn is_union(&self, largest: Set, sets: &[Set], total: usize) -> bool {
        let elements = self.elements(largest);
        let others = total - elements.len();
        let steps = elements.len().ilog2() as usize + 1;
        others * steps <= total
            && sets.iter().filter(|&&set| set != largest).all(|&set| {
                self.elements(set).iter().all(|element| elements.binary_search(element).is_ok())
            })
    }

    /// The number of the set of these elements: one that has been formed not long ago, or a new one.
    fn number(&mut self, elements: &[u32]) -> Set {
        const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;
        let hash = |hash: u64, &element: &u32| (hash ^ u64::from(element)).wrapping_mul(SPREAD);
        let hash = elements.iter().fold(0_u64, hash);
        let place = (hash >> (u64::BITS - Self::RECENT.ilog2())) as usize;
        let recent = self.recent[place];
        if self.elements(recent) == elements {
            return recent;
        }
        self.larger.extend_from_slice(elements);
        self.starts.push(self.larger.len());
        let set = Set((self.len() - 1) as u32);
        self.recent[place] = set;
        set
    }
}

/// Which vertices the outputs depend on, themselves included.
fn needed(graph: &impl Dependencies, outputs: &[Id]) -> Vec<bool> {
    let mut needed = vec![false; graph.len()];
    for output in outputs {
        needed[output.index()] = true;
    }
    for vertex in (graph.inputs()..graph.len()).rev() {
        if needed[vertex] {
            for source in graph.sources(Id(vertex as u32)) {
                needed[source.index()] = true;
            }
        }
    }
    needed
}

/// How many outputs are searched from at a time: each has a bit.
const WORD: usize = u64::BITS as usize;

/// A search from outputs to the inputs that they depend on, through vertices whose sets are not formed.
struct Search<'a, D> {
    graph: &'a D,
    sets: &'a Sets,
    is_reached: Vec<bool>,
    /// Bits of vertices and of sets.
    of_vertex: Vec<u64>,
    of_set: Vec<u64>,
}

impl<'a, D: Dependencies> Search<'a, D> {
    fn new(graph: &'a D, sets: &'a Sets) -> Self {
        let of_set = vec![0; sets.len()];
        Self {
            graph,
            sets,
            is_reached: vec![false; graph.len()],
            of_vertex: vec![0; graph.len()],
            of_set,
        }
    }

    /// A row for each of at most 64 outputs without sets.
    fn rows(&mut self, outputs: &[Id]) -> Vec<Vec<u32>> {
        for (bit, output) in outputs.iter().enumerate() {
            self.of_vertex[output.index()] |= 1 << bit;
        }
        let mut sets = Vec::new();
        for vertex in self.reached_from(outputs) {
            self.is_reached[vertex.index()] = false;
            let bits = core::mem::take(&mut self.of_vertex[vertex.index()]);
            for &source in self.graph.sources(vertex) {
                match self.sets.of(source) {
                    EMPTY => {}
                    LARGE => self.of_vertex[source.index()] |= bits,
                    set => {
                        let of_set = &mut self.of_set[set.index()];
                        if *of_set == 0 {
                            sets.push(set);
                        }
                        *of_set |= bits;
                    }
                }
            }
        }
        self.rows_of_sets(outputs.len(), sets)
    }

    /// The vertices without sets that outputs depend on, each before those that it depends on.
    fn reached_from(&mut self, outputs: &[Id]) -> Vec<Id> {
        let (mut reached, mut pending) = (Vec::new(), outputs.to_vec());
        while let Some(vertex) = pending.pop() {
            if core::mem::replace(&mut self.is_reached[vertex.index()], true) {
                continue;
            }
            reached.push(vertex);
            let sources = self.graph.sources(vertex).iter().copied();
            pending.extend(
                sources.filter(|s| self.sets.of(*s) == LARGE && !self.is_reached[s.index()]),
            );
        }
        reached.sort_unstable_by(|a, b| b.cmp(a));
        reached
    }

    /// The rows of outputs, whose bits stand at sets.
    fn rows_of_sets(&mut self, outputs: usize, sets: Vec<Set>) -> Vec<Vec<u32>> {
        let mut inputs: Vec<u32> = Vec::new();
        let (singles, larger): (Vec<Set>, Vec<Set>) =
            sets.into_iter().partition(|set| set.index() <= self.sets.singles.len());
        inputs.extend(singles.iter().map(|single| single.0 - 1));
        for set in larger {
            let bits = core::mem::take(&mut self.of_set[set.index()]);
            for &input in self.sets.elements(set) {
                let of_input = &mut self.of_set[input as usize + 1];
                if *of_input == 0 {
                    inputs.push(input);
                }
                *of_input |= bits;
            }
        }
        inputs.sort_unstable();
        let mut rows = vec![Vec::new(); outputs];
        for input in inputs {
            let mut bits = core::mem::take(&mut self.of_set[input as usize + 1]);
            while bits != 0 {
                rows[bits.trailing_zeros() as usize].push(input);
                bits &= bits - 1;
            }
        }
        rows
    }
}
