"""The active learning loop: train, evaluate, score, query, label, and round again."""

import time
from collections.abc import Callable
from functools import cache, lru_cache

import numpy as np
from keras.ops import convert_to_numpy

from mrcnn_al.config import Config
from mrcnn_al.datasets.base import Subset
from mrcnn_al.datasets.image_file import write_image
from mrcnn_al.errors import UserError
from mrcnn_al.evaluation.coco_map import as_text
from mrcnn_al.evaluation.coco_results import from_coco_results, to_coco_results
from mrcnn_al.evaluation.learning_curve import CurvePoint, write_curve
from mrcnn_al.evaluation.measure import measure
from mrcnn_al.instances import Instances
from mrcnn_al.iteration_files import IterationFiles
from mrcnn_al.model import MaskRCNN
from mrcnn_al.ops.backend import make_deterministic
from mrcnn_al.oracle import Oracle
from mrcnn_al.pool import PoolState
from mrcnn_al.progress import progress
from mrcnn_al.report.overlay import draw_instances
from mrcnn_al.report.passes_sheet import draw_passes_sheet
from mrcnn_al.run_store import RunStore
from mrcnn_al.score_table import ScoreRecord
from mrcnn_al.strategies.base import Query, Strategy
from mrcnn_al.training.devices import sharing
from mrcnn_al.training.fit import Fitter
from mrcnn_al.uncertainty.image_features import ImageFeatures
from mrcnn_al.uncertainty.pool_scorer import PoolScorer, text_key
from mrcnn_al.uncertainty.score_row import ScoreRow, extremes
from mrcnn_al.weights.sources import load_named_weights


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
    ):
        if config.run.class_names != tuple(subset.dataset.class_names):
            raise UserError(
                f"The model is made for the classes {config.run.class_names}, the images have "
                f"{subset.dataset.class_names}; see Config.fitted_to."
            )
        self.config, self.subset, self.strategy = config, subset, strategy
        self.oracle, self.store, self.say = oracle, store, say
        make_deterministic(config.run.seed)
        with sharing(config.training.devices):
            self.model = MaskRCNN(config.model)
        report = load_named_weights(self.model, config.run.weights, config.run.exclude)
        if report is not None:
            say(str(report))
        self._start_weights = [convert_to_numpy(v) for v in self.model.weights]
        self._current: int | None = 0
        self._fitter = Fitter(self.model, config.training)
        self._load_image = lru_cache(maxsize=256)(subset.dataset.load_image)
        self._scorer = PoolScorer(self.model.inference, self._load_image, config.sampling)

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
        """Whether an iteration has trained on all images already."""
        if pool.unlabelled or pool.iteration == 1:
            return False
        trained_on, _ = self.store.iteration(pool.iteration - 1).read_labelled()
        if len(trained_on) < len(pool.labelled):
            return False
        self.say(f"All images are labelled after {pool.iteration - 1} iterations.")
        return True

    def _train(self, files: IterationFiles, pool: PoolState) -> None:
        if files.weights_path.exists():
            files.checkpoint_path.unlink(missing_ok=True)
            return
        files.write_labelled(pool.labelled, pool.pseudo_labelled)
        training = self.config.training
        load = self._training_images(files, pool)
        self._set_weights(files.number - 1 if self.config.run.carry_weights else 0)
        history = self._fitter.fit(
            (*pool.labelled, *pool.pseudo_labelled),
            load,
            self._seed(files, "train"),
            f"[{files.number}] training",
            self.subset.validation if training.early_stopping_patience else None,
            files.checkpoint_path,
            files.log_folder if training.tensorboard else None,
        )
        files.write_history(history)
        self.model.save_weights(files.weights_path)
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
        metrics, detections = measure(
            self.model, dataset, test, self._load_image, f"[{files.number}] evaluating"
        )
        shown = self.store.figures_folder / f"iteration_{files.number:03d}_test_{test[0]}.png"
        image = self._load_image(test[0])
        sure = detections[test[0]].scores >= self.config.sampling.min_confidence
        picture = draw_instances(image, detections[test[0]].select(sure), dataset.class_names)
        write_image(shown, picture)
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
            return [record.row for record in files.read_scores()]
        if not self.strategy.uses_scores:
            rows = [ScoreRow(image_id) for image_id in pool.unlabelled]
        else:
            rows = self._sampled_scores(files, pool)
        files.write_scores([ScoreRecord(row) for row in rows])
        return rows

    def _sampled_scores(self, files, pool):
        self._set_weights(files.number)
        begin, seed = time.perf_counter(), self._seed(files, "score")
        rows = self._scorer.rows(pool.unlabelled, seed, f"[{files.number}] scoring")
        for name, row in extremes(rows).items():
            passes = self._scorer.passes(row.image_id, seed)
            path = f"iteration_{files.number:03d}_{name}_{row.image_id}.png"
            draw_passes_sheet(
                self.store.figures_folder / path, self._load_image(row.image_id), passes
            )
        self._add_seconds(files, "score", begin)
        return rows

    def _features(self, files: IterationFiles, pool: PoolState) -> ImageFeatures | None:
        """Of all images of the pool, for a strategy that asks for them."""
        if not self.strategy.uses_features:
            return None
        if not files.features_path.exists():
            self._set_weights(files.number)
            begin, image_ids = time.perf_counter(), (*pool.labelled, *pool.unlabelled)
            features = self._scorer.features(image_ids, f"[{files.number}] features")
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
        begin = time.perf_counter()
        image_ids = self.strategy.pseudo_label_ids(rows, files.number, query.image_ids)
        found = {}
        if image_ids:
            self._set_weights(files.number)
            with progress(f"[{files.number}] pseudo-labels", len(image_ids), "images") as advance:
                for image_id in image_ids:
                    found[image_id] = self.model.inference.detect(
                        [self._load_image(image_id)], self.config.sampling.min_confidence
                    )[0].instances
                    advance()
        self._add_seconds(files, "query", begin)
        files.write_pseudo_labels(to_coco_results(found, self.subset.dataset.category_ids))

    def _commit(self, files: IterationFiles, pool: PoolState, query: Query) -> PoolState:
        results = files.read_pseudo_labels()
        pseudo_labelled = tuple(dict.fromkeys(str(result["image_id"]) for result in results))
        labels = self.oracle.label(query.image_ids)
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
            for variable, value in zip(self.model.weights, self._start_weights, strict=True):
                variable.assign(value)
        else:
            self.model.load_weights(self.store.iteration(iteration).weights_path)
        self._current = iteration

    def _add_seconds(self, files, phase, begin):
        metrics = files.read_metrics()
        metrics["seconds"][phase] = time.perf_counter() - begin
        files.write_metrics(metrics)

    def _seed(self, files: IterationFiles, phase: str) -> int:
        return text_key(f"{self.config.run.seed}/{files.number}/{phase}")
