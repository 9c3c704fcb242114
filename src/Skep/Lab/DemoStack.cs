using Skep.Model.Errors;

namespace Skep.Lab;

/// <summary>Something to look at: the demo image on every machine and a stack of one service, deployed with the docker command line.</summary>
internal static class DemoStack
{
    public const string Service = "demo_web";
    public const int Port = 8080;

    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(60);

    // A docker client of Debian 12 (20.10) takes a file without a version for one of version 1.
    private static readonly string s_compose = $"""
        version: "3.8"
        services:
          web:
            image: {DemoImage.Name}:latest
            ports: ["{Port}:3000"]
            deploy:
              replicas: 3
        """;

    public static async Task DeployAsync(IReadOnlyList<Machine> machines, Action<string> tell, TimeProvider clock, CancellationToken cancellationToken)
    {
        tell($"Loading the image {DemoImage.Name} on each machine");
        var image = (await DemoImage.BuildAsync(cancellationToken)).ToArray();
        await Task.WhenAll(machines.Select(machine => LoadAsync(machine, image, cancellationToken)));

        tell("Deploying the stack 'demo'");
        string[] deploy = ["-H", $"unix://{machines[0].Socket}", "stack", "deploy", "--resolve-image", "never", "--compose-file", "-", "demo"];
        await Tool.RunAsync("docker", deploy, s_compose, cancellationToken);
        using var api = new MachineApi(machines[0]);
        await UntilRunningAsync(api, clock, cancellationToken);
        tell($"{Service} runs");
        await Task.WhenAll(machines.Select(machine => UntilAnsweringAsync(machine, clock, cancellationToken)));
        tell($"Port {Port} answers on every machine");
    }

    private static async Task LoadAsync(Machine machine, byte[] image, CancellationToken cancellationToken)
    {
        using var api = new MachineApi(machine);
        try
        {
            await api.GetAsync($"/images/{DemoImage.Name}:latest/json", cancellationToken);
            return;
        }
        catch (ClusterException missing) when (missing.Kind == ErrorKind.NotFound)
        {
            // Not there yet.
        }

        var change = Uri.EscapeDataString(DemoImage.Command);
        await api.PostAsync($"/images/create?fromSrc=-&repo={DemoImage.Name}&tag=latest&changes={change}", new MemoryStream(image), cancellationToken);
    }

    private static async Task UntilRunningAsync(MachineApi api, TimeProvider clock, CancellationToken cancellationToken)
    {
        var filter = Uri.EscapeDataString($$$"""{"service":{"{{{Service}}}":true},"desired-state":{"running":true}}""");
        var problem = "";
        await UntilAsync(
            async () =>
            {
                var tasks = (await api.GetAsync($"/tasks?filters={filter}", cancellationToken))?.AsArray() ?? [];
                problem = tasks.Select(task => task?["Status"]?["Err"]?.GetValue<string>()).FirstOrDefault(text => !string.IsNullOrEmpty(text)) ?? problem;
                return tasks.Count(task => task?["Status"]?["State"]?.GetValue<string>() == "running") >= 3;
            },
            () => $"{Service} does not run; see: ./skep lab exec 1 -- docker service ps {Service}. {problem}",
            clock, cancellationToken);
    }

    private static async Task UntilAnsweringAsync(Machine machine, TimeProvider clock, CancellationToken cancellationToken)
    {
        using var client = new HttpClient { Timeout = TimeSpan.FromSeconds(1) };
        var address = new Uri($"http://{machine.Address}:{Port}/");
        await UntilAsync(
            async () =>
            {
                try
                {
                    using var answer = await client.GetAsync(address, cancellationToken);
                    return answer.IsSuccessStatusCode;
                }
                catch (Exception error) when (error is HttpRequestException or TaskCanceledException && !cancellationToken.IsCancellationRequested)
                {
                    return false;
                }
            },
            () => $"{address} does not answer.", clock, cancellationToken);
    }

    private static async Task UntilAsync(Func<Task<bool>> reached, Func<string> complaint, TimeProvider clock, CancellationToken cancellationToken)
    {
        var begun = clock.GetTimestamp();
        while (!await reached())
        {
            if (clock.GetElapsedTime(begun) > s_limit)
            {
                throw new ClusterException(ErrorKind.DeadlineExceeded, complaint());
            }

            await Task.Delay(TimeSpan.FromMilliseconds(50), clock, cancellationToken);
        }
    }
}
