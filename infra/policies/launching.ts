import { statementsOf } from './documents.ts';
import { isOfFleet, type Rule } from './rule.ts';

/** In small letters, for IAM takes actions in any. */
const LAUNCHING: ReadonlySet<string> = new Set([
  'ec2:runinstances',
  'ec2:runscheduledinstances',
  'ec2:requestspotinstances',
  'ec2:requestspotfleet',
  'ec2:createfleet',
  'autoscaling:createautoscalinggroup',
  'autoscaling:updateautoscalinggroup',
  'autoscaling:launchinstances',
  'iam:passrole',
]);

/** The group launches; whoever has a worker's or the orchestrator's credentials gets no machine and no other role by them. */
export const noLaunching: Rule = {
  name: 'no-launching',
  description: 'Nobody of a fleet may launch instances or hand on roles.',
  check: (resource) =>
    isOfFleet(resource)
      ? statementsOf(resource)
          .filter(({ effect }) => effect === 'Allow')
          .flatMap(({ where, actions }) =>
            actions
              .filter((action) => LAUNCHING.has(action.toLowerCase()))
              .map((action) => ({
                where,
                what: `It allows ${action}, by which other machines or other roles can be had.`,
                remedy: 'Leave it out: the Auto Scaling group launches what it is asked for.',
              })),
          )
      : [],
};
