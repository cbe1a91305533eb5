"""Statistics over seeds and tasks, on plain arrays.

Scores of one method are an array ``[tasks, seeds]`` with NaN where a task has fewer seeds than another. All resamples
are drawn with a fixed seed, so that the same scores give the same intervals.
"""
