"""The active learning loop: train, evaluate, score, query, label, and round again."""

import time
from collections.abc import Callable
from functools import cache, partial

import numpy as np

from mrcnn_al.config import Config
from mrcnn_al.datasets.base import Subset
from mrcnn_al.datasets.image_cache import cached_images
from mrcnn_al.errors import UserError
from mrcnn_al.evaluation.coco_map import as_text
from mrcnn_al.evaluation.coco_results import from_coco_results, to_coco_results
from mrcnn_al.evaluation.learning_curve import CurvePoint, write_curve
from mrcnn_al.instances import Instances
from mrcnn_al.iteration_files import IterationFiles
from mrcnn_al.label_record import record_labels
from mrcnn_al.learners.factory import make_learner
from mrcnn_al.oracle import Oracle
from mrcnn_al.pool import PoolState
from mrcnn_al.report.iteration_figures import IterationFigures
from mrcnn_al.run_store import RunStore
from mrcnn_al.score_journal import ScoreJournal
from mrcnn_al.score_table import ScoreRecord
from mrcnn_al.strategies.base import Query, Strategy
from mrcnn_al.uncertainty.image_features import ImageFeatures
from mrcnn_al.uncertainty.pool_scorer import text_key
from mrcnn_al.uncertainty.score_row import ScoreRow, extremes
from mrcnn_al.workers.pool_scoring import PoolScoring


class ActiveLearning:
    """One run, from its first labelled images to its learning curve.

    Every phase leaves its result in a file. A phase whose file is there is not done again, and
    all randomness is drawn from the seed and the number of the iteration, so a run that was
    killed ends as one that was not.

    Args:
        config: of the run.
        subset: the images and their split.
        strategy: what is labelled next.
        oracle: who labels it.
        store: where the files go; the caller holds its lock.
        say: takes lines for the user.
        scoring: by several workers; by this process without. The scores are the same.

    Raises:
        UserError: the start weights are not at hand or do not fit, or the model is not made for
            the classes of the images.
    """

    def __init__(
        self,
        config: Config,
        subset: Subset,
        strategy: Strategy,
        oracle: Oracle,
        store: RunStore,
        say: Callable[[str], None] = print,
        scoring: PoolScoring | None = None,
    ):
        if config.run.class_names != tuple(subset.dataset.class_names):
            raise UserError(
                f"The model is made for the classes {config.run.class_names}, the images have "
                f"{subset.dataset.class_names}; see Config.fitted_to."
            )
        self.config, self.subset, self.strategy = config, subset, strategy
        self.oracle, self.store, self.say, self.scoring = oracle, store, say, scoring
        self._load_image = cached_images(subset.dataset.load_image)
        self.learner = make_learner(config, self._load_image)
        if self.learner.start_report is not None:
            say(str(self.learner.start_report))
        self._current: int | None = 0

    def run(self) -> list[CurvePoint]:
        """Goes round until all iterations are done; returns the learning curve."""
        pool = self._open_pool()
        while pool.iteration <= self.config.run.iterations and not self._exhausted(pool):
            files = self.store.iteration(pool.iteration)
            self._train(files, pool)
            self._evaluate(files, pool)
            rows = self._score(files, pool)
            query = self._query(files, rows, self._features(files, pool))
            self._pseudo_label(files, rows, query)
            pool = self._commit(files, pool, query)
        return self._curve(pool.iteration - 1)

    def _open_pool(self) -> PoolState:
        if self.store.pool_path.exists():
            pool = self.store.read_pool()
            if {*pool.labelled, *pool.unlabelled} != set(self.subset.train):
                raise UserError(
                    f"The images are not those that the run in {self.store.folder} began with."
                )
            return pool
        labelled = set(self.subset.labelled)
        unlabelled = tuple(i for i in self.subset.train if i not in labelled)
        return PoolState(1, self.subset.labelled, unlabelled)

    def _exhausted(self, pool: PoolState) -> bool:
        """Whether there is nothing left to label, and all that was is trained on."""
        if pool.unlabelled or pool.iteration == 1 or self._newest(pool):
            return False
        self.say(f"All images are labelled after {pool.iteration - 1} iterations.")
        return True

    def _newest(self, pool: PoolState) -> tuple[str, ...]:
        """The images labelled last, which no iteration has trained on."""
        if pool.iteration == 1:
            return pool.labelled
        queried = set(self.store.iteration(pool.iteration - 1).read_batch().image_ids)
        return tuple(image_id for image_id in pool.labelled if image_id in queried)

    def _train(self, files: IterationFiles, pool: PoolState) -> None:
        if files.weights_path.exists():
            files.checkpoint_path.unlink(missing_ok=True)
            return
        replace = self.config.run.new_labels == "replace"
        labelled = self._newest(pool) if replace else pool.labelled
        files.write_labelled(labelled, pool.pseudo_labelled)
        training = self.config.training
        load = self._training_images(files, pool)
        self._set_weights(files.number - 1 if self.config.run.carry_weights else 0)
        self._current = None
        history = self.learner.fit(
            (*labelled, *pool.pseudo_labelled),
            load,
            self._seed(files, "train"),
            f"[{files.number}] training",
            self.subset.validation if training.early_stopping_patience else None,
            files.checkpoint_path,
            files.log_folder if training.tensorboard else None,
        )
        files.write_history(history)
        self.learner.save_weights(files.weights_path)
        files.checkpoint_path.unlink(missing_ok=True)
        self._current = files.number

    def _training_images(self, files, pool):
        """Labels come from the oracle, pseudo-labels from the iteration before.

        The validation images are labelled from the start.
        """
        pseudo, validation = {}, set(self.subset.validation)
        if pool.pseudo_labelled:
            results = self.store.iteration(files.number - 1).read_pseudo_labels()
            pseudo = from_coco_results(results, self.subset.dataset.category_ids)

        @cache
        def instances(image_id: str) -> Instances:
            if image_id in pseudo:
                return pseudo[image_id]
            if image_id in validation:
                return self.subset.dataset.load_instances(image_id)
            return self.oracle.label([image_id])[image_id]

        return lambda image_id: (self._load_image(image_id), instances(image_id))

    def _evaluate(self, files: IterationFiles, pool: PoolState) -> None:
        if files.metrics_path.exists():
            return
        self._set_weights(files.number)
        begin = time.perf_counter()
        dataset, test = self.subset.dataset, self.subset.test
        figures = IterationFigures(self.store.figures_folder, files.number)
        least = self.config.sampling.min_confidence

        def draw_first(image_id: str, truth: Instances, found: Instances) -> None:
            if image_id == test[0]:
                image = self._load_image(image_id)
                figures.draw_test_image(image_id, image, found, least, dataset.class_names)

        title = f"[{files.number}] evaluating"
        metrics = self.learner.evaluate(dataset, test, title, draw_first)
        files.write_metrics(
            {
                **metrics,
                "iteration": files.number,
                "labelled_images": len(pool.labelled),
                "labelled_instances": sum(map(dataset.instance_count, pool.labelled)),
                "pseudo_labelled": len(pool.pseudo_labelled),
                "seconds": {
                    "train": sum(row["seconds"] for row in files.read_history()),
                    "evaluate": time.perf_counter() - begin,
                },
            }
        )
        self.say(
            f"[{files.number}] {len(pool.labelled)} labelled, {len(pool.pseudo_labelled)} "
            f"pseudo-labelled: AP {as_text(metrics['AP'])}, AP50 {as_text(metrics['AP50'])}"
        )

    def _score(self, files: IterationFiles, pool: PoolState) -> list[ScoreRow]:
        if files.scores_path.exists():
            files.scored_path.unlink(missing_ok=True)
            return [record.row for record in files.read_scores()]
        if not self.strategy.uses_scores:
            rows = [ScoreRow(image_id) for image_id in pool.unlabelled]
        else:
            rows = self._sampled_scores(files, pool)
        files.write_scores([ScoreRecord(row) for row in rows])
        files.scored_path.unlink(missing_ok=True)
        return rows

    def _sampled_scores(self, files, pool):
        self._set_weights(files.number)
        begin, seed = time.perf_counter(), self._seed(files, "score")
        rows = self._rows(files, pool.unlabelled, seed)
        figures = IterationFigures(self.store.figures_folder, files.number)
        for name, row in extremes(rows).items():
            passes = self.learner.passes(row.image_id, seed)
            figures.draw_passes(name, row.image_id, self._load_image(row.image_id), passes)
        self._add_seconds(files, "score", begin)
        return rows

    def _rows(self, files, image_ids, seed):
        """Of all images; those that were scored before the run was killed are not scored again."""
        title = f"[{files.number}] scoring"
        with ScoreJournal(files.scored_path) as journal:
            if journal.rows:
                self.say(f"[{files.number}] {len(journal.rows)} images are scored already")
            missing = [image_id for image_id in image_ids if image_id not in journal.rows]
            score = self.learner.score
            if self.scoring is not None:
                score = partial(self.scoring.rows, self.learner, files.weights_path)
            if missing:
                score(missing, seed, title, journal.add)
            return [journal.rows[image_id] for image_id in image_ids]

    def _features(self, files: IterationFiles, pool: PoolState) -> ImageFeatures | None:
        """Of all images of the pool, for a strategy that asks for them."""
        if not self.strategy.uses_features:
            return None
        if not files.features_path.exists():
            self._set_weights(files.number)
            begin, image_ids = time.perf_counter(), (*pool.labelled, *pool.unlabelled)
            features = self.learner.features(image_ids, f"[{files.number}] features")
            self._add_seconds(files, "features", begin)
            files.write_features(features)
        return files.read_features()

    def _query(
        self, files: IterationFiles, rows: list[ScoreRow], features: ImageFeatures | None
    ) -> Query:
        rng = np.random.default_rng(self._seed(files, "query"))
        batch = self.config.strategy.batch
        query = self.strategy.query(rows, batch, rng, features=features)
        zones, reasons = query.zones, dict(zip(query.image_ids, query.reasons, strict=True))
        files.write_batch(query)
        files.write_scores(
            [ScoreRecord(r, zones.get(r.image_id, ""), reasons.get(r.image_id, "")) for r in rows]
        )
        return query

    def _pseudo_label(self, files: IterationFiles, rows: list[ScoreRow], query: Query) -> None:
        """The deterministic prediction labels the images that the strategy is certain about."""
        if files.pseudo_labels_path.exists():
            return
        begin, found = time.perf_counter(), {}
        kept = self._kept_pseudo_labels(files, query)
        has_one = {str(result["image_id"]) for result in kept}
        certain = self.strategy.pseudo_label_ids(rows, files.number, query.image_ids)
        image_ids = [image_id for image_id in certain if image_id not in has_one]
        if image_ids:
            self._set_weights(files.number)
            found = self.learner.predict(image_ids, f"[{files.number}] pseudo-labels")
            # Of objects without a pixel nothing would be learnt but that the image is empty.
            found = {i: instances for i, instances in found.items() if instances.visible}
        self._add_seconds(files, "query", begin)
        results = to_coco_results(found, self.subset.dataset.category_ids)
        files.write_pseudo_labels([*kept, *results])

    def _kept_pseudo_labels(self, files: IterationFiles, query: Query) -> list[dict]:
        """Those of the iteration before, as COCO results, but for the images now labelled."""
        if self.config.strategy.pseudo_labels == "refresh" or files.number == 1:
            return []
        labelled = set(query.image_ids)
        results = self.store.iteration(files.number - 1).read_pseudo_labels()
        return [result for result in results if str(result["image_id"]) not in labelled]

    def _commit(self, files: IterationFiles, pool: PoolState, query: Query) -> PoolState:
        results = files.read_pseudo_labels()
        pseudo_labelled = tuple(dict.fromkeys(str(result["image_id"]) for result in results))
        labels = self.oracle.label(query.image_ids)
        dataset, figures = self.subset.dataset, self.store.figures_folder
        names, ids = dataset.class_names, dataset.category_ids
        record_labels(files, labels, self.oracle, names, ids, self._load_image, figures)
        pool = pool.label(tuple(labels), pseudo_labelled)
        write_curve(self.store.curve_path, self._curve(files.number))
        self.store.write_pool(pool)
        return pool

    def _curve(self, last: int) -> list[CurvePoint]:
        return [
            CurvePoint.from_metrics(self.store.iteration(number).read_metrics())
            for number in range(1, last + 1)
        ]

    def _set_weights(self, iteration: int) -> None:
        """Weights after an iteration; 0 for those at the start."""
        if self._current == iteration:
            return
        self._current = None
        if iteration == 0:
            self.learner.restore_start_weights()
        else:
            self.learner.load_weights(self.store.iteration(iteration).weights_path)
        self._current = iteration

    def _add_seconds(self, files, phase, begin):
        metrics = files.read_metrics()
        metrics["seconds"][phase] = metrics["seconds"].get(phase, 0) + time.perf_counter() - begin
        files.write_metrics(metrics)

    def _seed(self, files: IterationFiles, phase: str) -> int:
        return text_key(f"{self.config.run.seed}/{files.number}/{phase}")
