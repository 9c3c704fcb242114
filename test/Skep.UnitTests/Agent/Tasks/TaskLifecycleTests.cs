using Skep.Agent.Tasks;
using Skep.Model.States;

namespace Skep.UnitTests.Agent.Tasks;

public sealed class TaskLifecycleTests
{
    /// <summary>Rows: observed states; columns: wished for up to Ready, Running or Complete, Shutdown and beyond.</summary>
    private static readonly (TaskState Observed, TaskStep Ready, TaskStep Running, TaskStep Ending)[] s_table =
    [
        (TaskState.New, TaskStep.Accept, TaskStep.Accept, TaskStep.Stop),
        (TaskState.Pending, TaskStep.Accept, TaskStep.Accept, TaskStep.Stop),
        (TaskState.Assigned, TaskStep.Accept, TaskStep.Accept, TaskStep.Stop),
        (TaskState.Accepted, TaskStep.Prepare, TaskStep.Prepare, TaskStep.Stop),
        (TaskState.Preparing, TaskStep.Prepare, TaskStep.Prepare, TaskStep.Stop),
        (TaskState.Ready, TaskStep.Nothing, TaskStep.Start, TaskStep.Stop),
        (TaskState.Starting, TaskStep.Start, TaskStep.Start, TaskStep.Stop),
        (TaskState.Running, TaskStep.AwaitExit, TaskStep.AwaitExit, TaskStep.Stop),
        (TaskState.Complete, TaskStep.Nothing, TaskStep.Nothing, TaskStep.Nothing),
        (TaskState.Shutdown, TaskStep.Nothing, TaskStep.Nothing, TaskStep.Nothing),
        (TaskState.Failed, TaskStep.Nothing, TaskStep.Nothing, TaskStep.Nothing),
        (TaskState.Rejected, TaskStep.Nothing, TaskStep.Nothing, TaskStep.Nothing),
        (TaskState.Remove, TaskStep.Nothing, TaskStep.Nothing, TaskStep.Nothing),
        (TaskState.Orphaned, TaskStep.Nothing, TaskStep.Nothing, TaskStep.Nothing),
    ];

    [Fact]
    public void Every_pair_of_states_has_its_one_step()
    {
        Assert.Equal(Enum.GetValues<TaskState>(), s_table.Select(r => r.Observed));
        foreach (var (observed, ready, running, ending) in s_table)
        {
            foreach (var desired in Enum.GetValues<TaskState>())
            {
                var expected = desired < TaskState.Running ? ready : desired < TaskState.Shutdown ? running : ending;
                Assert.True(expected == TaskLifecycle.Next(observed, desired), $"{observed} wished {desired}: {TaskLifecycle.Next(observed, desired)}, not {expected}");
            }
        }
    }
}
