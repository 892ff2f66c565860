"""The keys of a job that need no judgement. tests/test_policy_jobs.py says which of the SDK's are in no list."""

# ruff: noqa: SIM905  # words are compared with the vendor's list more easily than a hundred quoted lines

from __future__ import annotations

# Only say how, when and how long, or are handed to the environment's own code.
FREE = frozenset(
    """
    alertOnLastAttempt applyPolicyDefaultValues availability baseParameters bootDiskSize budgetPolicyId catalog client
    clients clusterName concurrency condition customSubject customTags dayOfWeek default dependencyMode description
    disableAutoOptimization disabled driverNodeTypeFlexibility driverNodeTypeId durationTarget ebsVolumeCount
    ebsVolumeIops ebsVolumeSize ebsVolumeThroughput ebsVolumeType editMode enableElasticDisk enableEncryption
    enableLocalDiskEncryption enabled encryptionType entryPoint environmentKey environmentVariablesKey
    environmentVersion exclusions firstOnDemand format fullRefresh fullRefreshSelections hardwareAccelerator
    includeAppliedFilters inputs interval isSingleNode jarParams jobClusterKey kind left localSsdCount
    mainClassName maxConcurrentRuns maxRetries maxWorkers metric minRetryIntervalMillis minTimeBetweenTriggersSeconds
    minWorkers name namedParameters noAlertForCanceledRuns noAlertForSkippedRuns nodeTypeId notebookParams numWorkers op
    outcome packageName parameters pauseStatus pauseSubscriptions paused performanceTarget pipelineParams priorityClass
    pythonNamedParams pythonParams quartzCronExpression refreshFlowSelections refreshSelections region
    remoteDiskThroughput resetCheckpointSelections retryOnTimeout right runIf runtimeEngine schema sparkVersion
    spotBidMaxPrice spotBidPricePercent sqlParams startHour tableNames tags taskKey taskRetryMode timeoutSeconds
    timezoneId totalInitialRemoteDiskSize unit usagePolicyId useMlRuntime usePreemptibleExecutors value
    waitAfterLastChangeSeconds workerNodeTypeFlexibility zoneId
    """.split()
)
# Hold other keys, in an object or in a list of objects.
OBJECTS = frozenset(
    """
    abfss alert alertTask autoscale awsAttributes azureAttributes clusterLogConf compute conditionTask continuous cran
    dashboard dashboardTask dbfs dbtTask dependsOns dockerImage environments file fileArrival forEachTask gcpAttributes
    gcs health initScripts jobClusters libraries maven newCluster notebookTask notificationSettings periodic
    pipelineTask pypi pythonWheelTask query queue rules runJobTask s3 schedule sparkJarTask sparkPythonTask
    sparkSubmitTask spec sqlTask subscribers subscription subscriptions tableUpdate task tasks trigger volumes
    workloadType workspace
    """.split()
)
