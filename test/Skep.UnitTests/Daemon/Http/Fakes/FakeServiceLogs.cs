using System.Runtime.CompilerServices;
using Skep.Manager.Dispatch;

namespace Skep.UnitTests.Daemon.Http.Fakes;

internal sealed class FakeServiceLogs : IServiceLogs
{
    public List<ServiceLogMessage> Messages { get; } = [];

    public ServiceLogQuery? Asked { get; private set; }

    public async IAsyncEnumerable<ServiceLogMessage> ReadAsync(ServiceLogQuery query, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        Asked = query;
        foreach (var message in Messages)
        {
            yield return message;
        }

        await Task.CompletedTask;
    }
}
